"""The client all contenders are measured with: many board sockets in one process, and when the last of them heard."""

import asyncio
import time
from dataclasses import dataclass, field

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from script.lib.processes import HOST

CONNECTING_AT_ONCE = 50
ROUND_SECONDS = 30.0


class Lost(Exception):
    """Not every socket heard a round's event in ROUND_SECONDS."""


@dataclass
class Boards:
    """The board sockets of one server."""

    port: int
    cookies: list[str | None]
    """A session's key for each socket, or None where the server has no sign-in."""
    greets: bool
    """Whether the server sends a first state, after which a socket hears every event."""
    _transports: list[WSTransport] = field(default_factory=list)
    _mark: bytes = b""
    _missing: int = 0
    _all_heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self) -> None:
        """Open all sockets, and wait until each hears events. Raises Lost when one does not in ROUND_SECONDS."""
        self._expect(b"")
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one(cookie: str | None) -> None:
            headers = {"Origin": f"http://{HOST}:{self.port}"}
            if cookie is not None:
                headers["Cookie"] = f"sessionid={cookie}"
            async with gate:
                transport, _ = await ws_connect(
                    lambda: _Board(self),
                    f"ws://{HOST}:{self.port}/ws/board/",
                    extra_headers=headers,
                    websocket_handshake_timeout=ROUND_SECONDS,
                )
            self._transports.append(transport)

        await asyncio.gather(*(one(cookie) for cookie in self.cookies))
        if self.greets:
            await self._heard_by_all()

    async def measure(self, mark: str) -> float:
        """Set an event off and return the seconds until the last socket heard it. Raises Lost when one did not."""
        self._expect(mark.encode())
        started = time.perf_counter()
        trigger = asyncio.create_task(self._trigger(mark))
        await self._heard_by_all()
        took = time.perf_counter() - started
        await trigger
        return took

    def _expect(self, mark: bytes) -> None:
        self._mark, self._missing = mark, len(self.cookies)
        self._all_heard.clear()

    async def _heard_by_all(self) -> None:
        try:
            async with asyncio.timeout(ROUND_SECONDS):
                await self._all_heard.wait()
        except TimeoutError:
            raise Lost(f"{self._missing} of {len(self.cookies)} sockets of port {self.port} heard nothing.") from None

    async def _trigger(self, mark: str) -> None:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(f"GET /publish?mark={mark} HTTP/1.1\r\nHost: {HOST}:{self.port}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise Lost(f"Port {self.port} answered the trigger with: {answer[:200].decode(errors='replace')}")

    def heard(self, payload: bytes) -> None:
        """Count a frame, if it is this round's event and not a greeting."""
        if self._mark in payload:
            self._missing -= 1
            if self._missing == 0:
                self._all_heard.set()

    def close(self) -> None:
        """Close all sockets."""
        for transport in self._transports:
            transport.disconnect()


class _Board(WSListener):
    """One board socket."""

    def __init__(self, boards: Boards) -> None:
        self.boards = boards

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.boards.heard(frame.get_payload_as_bytes())
