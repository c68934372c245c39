"""How large and how slow a request may be, decided before Django sees it: Django would first write the whole to a file."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

TOO_LARGE = "That is larger than {most}, the most that can be sent here."
TOO_SLOW = "That came too slowly. Try again where the connection is better."
TOO_MUCH_AHEAD = "The browser sent more ahead of its request than is read here. Clearing this site's cookies may help."

# Of all headers together, names and values: more than any browser of ours sends, cookies included.
HEADER_BYTES = 32 * 1024
# A body may take so long, and a second more for each so many bytes that came: a slow phone manages that, and one who
# holds a connection open byte by byte does not. Apache's mod_reqtimeout has the same rule (its body=20,MinRate=500).
BODY_SECONDS = 20.0
BODY_BYTES_A_SECOND = 4 * 1024


class BodyLimit:
    """ASGI middleware: answers 413 as soon as a body is known to be too large, by its own word or by what came of it, 408
    where it comes too slowly, and 431 where the headers are too many.
    """

    def __init__(
        self,
        application: Any,
        *,
        most: int,
        other: Mapping[str, int],
        seconds: float = BODY_SECONDS,
        bytes_a_second: int = BODY_BYTES_A_SECOND,
    ) -> None:
        """Stand before `application`.

        Args:
            most: bytes.
            other: bytes for paths that fully match a pattern.
            seconds: a body may take so long in any case.
            bytes_a_second: and a second longer for each so many bytes of it.
        """
        self.application = application
        self.most = most
        self.other = {re.compile(pattern): allowed for pattern, allowed in other.items()}
        self.seconds = seconds
        self.bytes_a_second = bytes_a_second

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        allowed = next((bytes_ for path, bytes_ in self.other.items() if path.fullmatch(scope["path"])), self.most)
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            await _refuse(scope, send, 431, TOO_MUCH_AHEAD)
            return
        if announced.isdigit() and int(announced) > allowed:
            await _refuse(scope, send, 413, _too_large(allowed))
            return
        came = 0
        complete = False
        began = asyncio.get_running_loop().time()

        async def counted() -> Any:
            nonlocal came, complete
            if complete:
                # What is waited for now is that the visitor goes away.
                return await receive()
            try:
                async with asyncio.timeout_at(began + self.seconds + came / self.bytes_a_second):
                    message = await receive()
            except TimeoutError:
                raise _TooSlow from None
            came += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if came > allowed:
                raise _TooLarge
            return message

        # Django reads the whole body before it answers anything: nothing was sent yet.
        try:
            await self.application(scope, counted, send)
        except _TooLarge:
            await _refuse(scope, send, 413, _too_large(allowed))
        except _TooSlow:
            await _refuse(scope, send, 408, TOO_SLOW)


class _TooLarge(Exception):
    """More came than is allowed."""


class _TooSlow(Exception):
    """Less came than is waited for."""


def _too_large(allowed: int) -> str:
    return TOO_LARGE.format(most=f"{allowed / 1024 / 1024:g} MB" if allowed >= 1024 * 1024 else f"{allowed / 1024:g} KB")


async def _refuse(scope: dict[str, Any], send: Any, status: int, sentence: str) -> None:
    wants_json = dict(scope["headers"]).get(b"accept") == b"application/json"
    body = json.dumps({"error": sentence}).encode() if wants_json else sentence.encode()
    kind = b"application/json" if wants_json else b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 408:
        # The rest may never come. Of what is too large it does, and a line closed on it would take the answer along.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
