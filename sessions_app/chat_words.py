"""What people write in a chat, as HTML: the same as the room shows (static/js/room/chat_body.js), and as safe.

Nothing is cleaned: all text is escaped, and the few elements around it are ours.
"""

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_FENCE = re.compile(r"```(?:[\w+#.-]*\n)?(.*?)(?:```|\Z)", re.DOTALL | re.ASCII)
# Code between single ticks, or an address: brackets in pairs are part of it, what ends the sentence around it is not.
_PAIR = r"\([^\s<>\"'`()]*\)"
_INLINE = re.compile(rf"(`[^`\n]+`|https?://(?:[^\s<>\"'`()]|{_PAIR})*(?:[^\s<>\"'`().,;:!?\]}}]|{_PAIR}))")


def as_html(body: str) -> SafeString:
    """Return a line: a block of code between three ticks, code between single ones, addresses as links, all else text."""
    parts = (_part(text, is_code=place % 2 == 1) for place, text in enumerate(_FENCE.split(body)) if text.strip())
    return format_html_join("", "{}", ((part,) for part in parts))


def _part(text: str, *, is_code: bool) -> SafeString:
    if is_code:
        return format_html('<pre tabindex="0"><code>{}</code></pre>', text.rstrip("\n"))
    pieces = ((_piece(piece) if place % 2 else piece,) for place, piece in enumerate(_INLINE.split(text.strip())))
    return format_html("<p>{}</p>", format_html_join("", "{}", pieces))


def _piece(piece: str) -> SafeString:
    if piece.startswith("`"):
        return format_html("<code>{}</code>", piece[1:-1])
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', piece, piece)


def size_text(size: int) -> str:
    """Return bytes as people read them: 512 bytes, 34 KB, 2.1 MB."""
    if size < 1024:
        return f"{size} byte" + ("s" if size != 1 else "")
    if size < 1024 * 1024:
        return f"{-(-size // 1024)} KB"
    return f"{size / 1024 / 1024:.1f} MB"
