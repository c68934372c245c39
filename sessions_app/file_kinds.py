"""What kind of file it is, told by looking into it, and a name that fits: neither by what the sender's computer says."""

import codecs
import unicodedata
from pathlib import PurePosixPath
from typing import IO

from sessions_app import office_files
from sessions_app.receipts import plain

TEXT = "text/plain"
PDF = "application/pdf"
# The endings a name may have with each kind, the first of which is added to a name that has another.
ENDINGS = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    PDF: (".pdf",),
    **office_files.ENDINGS,
}
# Text that Windows or a desktop runs when somebody only wants to look at it.
RUNS = {
    ".bat", ".cmd", ".com", ".cpl", ".desktop", ".exe", ".hta", ".jse", ".lnk", ".msc", ".msi", ".pif", ".reg", ".scf",
    ".scr", ".url", ".vbe", ".vbs", ".wsf", ".wsh",
}  # fmt: skip
# Printed characters, tab, line and page ends, and the escape that colours logs; all above 127, whatever the encoding.
TEXT_BYTES = bytes([0x09, 0x0A, 0x0C, 0x0D, 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)])
CHUNK = 64 * 1024
LONGEST_NAME = 200
LONGEST_ENDING = 20
WHAT_CAN_BE_SENT = (
    "Images (PNG, JPEG, GIF, WebP), PDF, office documents without macros, and text of any kind can be sent: code, logs, "
    "CSV, JSON."
)


def kind_of(content: IO[bytes]) -> str | None:
    """Return the content type of a file, or None where it is none of those that can be sent.

    Text of any kind, HTML and SVG too, is plain text here: it is given out as a file to keep, and never as a page.
    """
    content.seek(0)
    start = content.read(16)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    if start.startswith(b"%PDF-"):
        return PDF
    if start.startswith(b"PK\3\4"):
        return office_files.office_kind_of(content)
    return TEXT if _is_text(content) else None


def _is_text(content: IO[bytes]) -> bool:
    content.seek(0)
    # Windows' PowerShell writes this; its marks at the start say so.
    wide = content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    content.seek(0)
    if wide:
        return _decodes(content, "utf-16")
    return not any(chunk.translate(None, TEXT_BYTES) for chunk in iter(lambda: content.read(CHUNK), b""))


def _decodes(content: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in iter(lambda: content.read(CHUNK), b""):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def name_for(name: str, content_type: str) -> str:
    """Return `name` as pages show it and computers keep it: one line, no folders, and an ending that fits the content.

    Args:
        name: as the sender's computer calls it; anything at all.
        content_type: as `kind_of` found it.
    """
    last = plain(unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]).rstrip(". ")
    path = PurePosixPath(last or "file")
    ending = path.suffix if len(path.suffix) <= LONGEST_ENDING else ""
    added = ""
    if content_type in ENDINGS and ending.lower() not in ENDINGS[content_type]:
        added = ENDINGS[content_type][0]
    elif content_type == TEXT and (ending.lower() in RUNS or str(path).lower() in RUNS):
        added = ".txt"
    stem = str(path).removesuffix(ending)
    return stem[: LONGEST_NAME - len(ending + added)] + ending + added
