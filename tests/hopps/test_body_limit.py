"""A request that is too large, too slow or too much ahead of itself is refused in a sentence, before Django reads it."""

import asyncio
import json
from typing import Any

import pytest

from hopps.body_limit import HEADER_BYTES, BodyLimit

Messages = list[dict[str, Any]]


async def reads_all(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that reads its request to the end, as Django does, and says how much that was."""
    came = 0
    while True:
        message = await receive()
        came += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(came).encode()})


def ask(*pieces: bytes, path: str = "/", headers: list[tuple[bytes, bytes]] | None = None, stops: bool = False) -> Messages:
    """Return what a visitor is answered whose body comes in `pieces`; with `stops` the last of them never comes."""
    sent: Messages = []
    words = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if not stops:
        words[-1]["more_body"] = False

    async def receive() -> dict[str, Any]:
        if not words:
            await asyncio.Event().wait()
        return words.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    limit = BodyLimit(reads_all, most=100, other={"/more/": 1000}, seconds=0.01, bytes_a_second=10_000)
    asyncio.run(limit({"type": "http", "path": path, "headers": headers or []}, receive, send))
    return sent


@pytest.mark.parametrize(("path", "most"), [("/", 100), ("/more/", 1000)])
def test_as_much_as_is_allowed_comes_through_and_a_byte_more_does_not(path: str, most: int) -> None:
    assert ask(b"x" * most, path=path)[1]["body"] == str(most).encode()
    assert ask(b"x" * most, b"x", path=path)[0]["status"] == 413


def test_what_says_itself_that_it_is_too_large_is_not_read() -> None:
    assert ask(headers=[(b"content-length", b"101")], stops=True)[0]["status"] == 413


def test_what_never_ends_is_given_up_and_its_line_closed() -> None:
    start, body = ask(b"x", b"x", stops=True)
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"Try again" in body["body"]


def test_headers_are_only_so_many_and_a_script_gets_json() -> None:
    much = [(b"accept", b"application/json"), (b"x-much", b"x" * HEADER_BYTES)]
    start, body = ask(b"", headers=much)
    assert start["status"] == 431
    assert "cookies" in json.loads(body["body"])["error"]
