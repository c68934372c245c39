"""Serves the bare call: one page, and a socket that passes on to the other page of a room what either says."""

import asyncio
import os
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

PAGE = (Path(__file__).parent / "bare.html").read_text()
rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


def page(connection: ServerConnection, request: Request) -> Response | None:
    """Answer everything that is no socket with the page."""
    if urlsplit(request.path).path == "/ws":
        return None
    response = connection.respond(200, PAGE)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


async def pass_on(connection: ServerConnection) -> None:
    """Tell the others of the room all that comes in here."""
    assert connection.request is not None
    room = rooms[urlsplit(connection.request.path).query]
    room.add(connection)
    try:
        async for message in connection:
            broadcast(room - {connection}, message)
    finally:
        room.discard(connection)


async def main() -> None:
    async with serve(pass_on, os.environ["HOST"], int(os.environ["PORT"]), process_request=page, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
