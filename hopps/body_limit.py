"""How large a request may be, decided before Django sees it: Django would first write the whole of it to a file."""

import json
import re
from collections.abc import Mapping
from typing import Any

TOO_LARGE = "That is larger than {most}, the most that can be sent here."


class BodyLimit:
    """ASGI middleware: answers 413 as soon as a body is known to be too large, by its own word or by what came of it."""

    def __init__(self, application: Any, *, most: int, larger: Mapping[str, int]) -> None:
        """Stand before `application`.

        Args:
            most: bytes.
            larger: bytes for paths that fully match a pattern.
        """
        self.application = application
        self.most = most
        self.larger = {re.compile(pattern): allowed for pattern, allowed in larger.items()}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        allowed = next((bytes_ for path, bytes_ in self.larger.items() if path.fullmatch(scope["path"])), self.most)
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > allowed:
            await _refuse(scope, send, allowed)
            return
        came = 0

        async def counted() -> Any:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > allowed:
                raise _TooLarge
            return message

        try:
            await self.application(scope, counted, send)
        except _TooLarge:
            # Django reads the whole body before it answers anything: nothing was sent yet.
            await _refuse(scope, send, allowed)


class _TooLarge(Exception):
    """More came than is allowed."""


async def _refuse(scope: dict[str, Any], send: Any, allowed: int) -> None:
    sentence = TOO_LARGE.format(most=f"{allowed / 1024 / 1024:g} MB")
    wants_json = dict(scope["headers"]).get(b"accept") == b"application/json"
    body = json.dumps({"error": sentence}).encode() if wants_json else sentence.encode()
    kind = b"application/json" if wants_json else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
