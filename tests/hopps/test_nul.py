"""A NUL in what a browser says of itself is a sentence, not a failed search in PostgreSQL."""

import asyncio
from typing import Any

import pytest

from hopps.asgi import application

SIGNED_IN_AS_NOBODY = rb'sessionid="\000abcdefgh"'


def ask(kind: str, first: str, path: str, query: bytes, cookie: bytes) -> list[dict[str, Any]]:
    """Return what the application sends to a browser that says no more than its first word."""
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1"), (b"cookie", cookie)]
    scope = {"type": kind, "method": "GET", "path": path, "query_string": query, "headers": headers, "subprotocols": []}
    words, sent = [{"type": first}], []

    async def receive() -> dict[str, Any]:
        if not words:
            await asyncio.Event().wait()
        return words.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "query", "cookie", "status"),
    [
        ("/accounts/login/", b"next=/", b'sessionid="abcdefgh"', 200),
        ("/accounts/login/", b"next=/", SIGNED_IN_AS_NOBODY, 400),
        ("/accounts/login/", b"next=%00", b"", 400),
        ("/sessions/\0/", b"", b"", 400),
    ],
)
def test_a_request_with_a_nul_is_refused(path: str, query: bytes, cookie: bytes, status: int) -> None:
    assert ask("http", "http.request", path, query, cookie)[0]["status"] == status


def test_a_socket_with_a_nul_is_not_let_in() -> None:
    sent = ask("websocket", "websocket.connect", "/ws/board/", b"", SIGNED_IN_AS_NOBODY)
    assert sent == [{"type": "websocket.close"}]
