"""Forms come in UTF-8, as every page of ours says: one that names another encoding is refused before Django.

Django refuses it too, but in the middle of its check against forgery, which its own error page does once more: nobody
would get an answer.
"""

from email.message import Message
from typing import Any

SENTENCE = b"A form must be sent in UTF-8."


class Utf8Forms:
    """ASGI middleware: answers 415 where a form says that it is in another encoding than UTF-8."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or _is_utf8(dict(scope["headers"]).get(b"content-type", b"")):
            await self.application(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(SENTENCE)).encode())]
        await send({"type": "http.response.start", "status": 415, "headers": headers})
        await send({"type": "http.response.body", "body": SENTENCE})


def _is_utf8(content_type: bytes) -> bool:
    message = Message()
    message["content-type"] = content_type.decode("latin-1")
    charset = message.get_content_charset() if message.get_content_maintype() != "multipart" else None
    return charset in (None, "utf-8", "utf8")
