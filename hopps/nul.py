"""The character NUL, which PostgreSQL keeps in no text and no search: a request that carries it is refused before Django.

What is typed into forms is checked by their fields, and what comes by a socket where it is kept; this is about the rest: the
address, its query, and cookies, by which Django looks up who is signed in.
"""

from typing import Any

SENTENCE = b"An address, or a cookie, must not hold the character NUL."


class NoNul:
    """ASGI middleware: answers 400, and lets no websocket in, where address or cookies hold a NUL."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or not _holds_nul(scope):
            await self.application(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(SENTENCE)).encode())]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": SENTENCE})


def _holds_nul(scope: dict[str, Any]) -> bool:
    # In a cookie in quotes, \000 is one.
    cookies = (value for name, value in scope["headers"] if name == b"cookie")
    return "\0" in scope["path"] or b"%00" in scope["query_string"] or any(rb"\000" in value for value in cookies)
