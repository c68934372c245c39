"""The address that sets an event off, the same for every Python server measured: GET /publish?mark=…"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def with_trigger(application: Application, publish: Callable[[str], Awaitable[None]]) -> Application:
    """Return `application` with GET /publish answered by `publish(mark)`."""

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/publish":
            await application(scope, receive, send)
            return
        await publish(parse_qs(scope["query_string"].decode())["mark"][0])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return wrapped
