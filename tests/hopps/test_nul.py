"""A NUL in what a browser says of itself is a sentence, not a failed search in PostgreSQL."""

import asyncio
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from hopps.asgi import application

SIGNED_IN_AS_NOBODY = rb'sessionid="\000abcdefgh"'


def scope(kind: str, path: str, query: bytes, cookie: bytes) -> dict[str, Any]:
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1"), (b"cookie", cookie)]
    return {"type": kind, "method": "GET", "path": path, "query_string": query, "headers": headers, "subprotocols": []}


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
    async def ask() -> dict[str, Any]:
        browser = ApplicationCommunicator(application, scope("http", path, query, cookie))
        await browser.send_input({"type": "http.request"})
        answer: dict[str, Any] = await browser.receive_output(timeout=20)
        while (await browser.receive_output(timeout=20)).get("more_body"):
            pass
        await browser.wait(timeout=20)
        return answer

    assert asyncio.run(ask())["status"] == status


def test_a_socket_with_a_nul_is_not_let_in() -> None:
    async def connect() -> Any:
        browser = ApplicationCommunicator(application, scope("websocket", "/ws/board/", b"", SIGNED_IN_AS_NOBODY))
        await browser.send_input({"type": "websocket.connect"})
        return await browser.receive_output(timeout=20)

    assert asyncio.run(connect()) == {"type": "websocket.close"}
