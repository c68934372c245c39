"""A line between one person's browser and the server that can be cut or frozen, and keeps a diary of who was there when.

A TCP proxy on 127.0.0.1. It reads the websocket's frames as they pass, so the diary is what the wire saw, and not what the
server says of itself. The server speaks to it uncompressed.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from script.lib.processes import HOST

PATIENCE = 20.0
CHUNK = 64 * 1024
TEXT, CLOSE = 1, 8
# Closing with this set sends RST: what a router does that forgot the connection.
NO_LINGER = struct.pack("ii", 1, 0)

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Stay:
    """From when to when a page was in the room, as the wire saw it; `end` None: it still is."""

    start: datetime
    end: datetime | None = None


@dataclass
class _Frames:
    """Reads websocket frames (RFC 6455) out of a stream that begins with an HTTP head."""

    buffer: bytearray = field(default_factory=bytearray)
    head: str = ""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield each complete frame's opcode and payload; nothing where the head is no websocket's."""
        if self.head and not self.is_socket:
            return
        self.buffer += data
        if not self.head:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = self.buffer[:end].decode("latin-1").lower()
            del self.buffer[: end + 4]
        while self.is_socket and (frame := self._next()) is not None:
            yield frame

    @property
    def is_socket(self) -> bool:
        """Whether it is a websocket's stream."""
        return "upgrade: websocket" in self.head

    def _next(self) -> tuple[int, bytes] | None:
        if len(self.buffer) < 2:
            return None
        masked, length, at = self.buffer[1] & 0x80, self.buffer[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(self.buffer[2 : 2 + size], "big"), 2 + size
        whole = at + (4 if masked else 0) + length
        if len(self.buffer) < whole:
            return None
        opcode, payload = self.buffer[0] & 0x0F, bytes(self.buffer[whole - length : whole])
        if masked:
            key = self.buffer[at : at + 4]
            payload = bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))
        del self.buffer[:whole]
        return opcode, payload


class _Connection:
    """One TCP connection through the line."""

    def __init__(self, diary: "Cutter", browser: Wire, server: Wire) -> None:
        self.diary = diary
        self.ends = (browser, server)
        self._in_room = False
        self._stay: Stay | None = None
        self._from_browser, self._from_server = _Frames(), _Frames()

    async def carry(self) -> None:
        """Pass on both ways until either end is gone."""
        (browser_reader, browser_writer), (server_reader, server_writer) = self.ends
        ways = [
            asyncio.ensure_future(self._pass_on(browser_reader, server_writer, self._browser_said)),
            asyncio.ensure_future(self._pass_on(server_reader, browser_writer, self._server_said)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self.leave()
            for _, writer in self.ends:
                writer.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, read: Callable[[bytes], None]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                # Frozen, it reads no further and passes nothing on: neither end learns of it.
                await self.diary.flowing.wait()
                read(data)
                writer.write(data)
                await writer.drain()

    def _browser_said(self, data: bytes) -> None:
        for opcode, payload in self._from_browser.feed(data):
            if opcode == CLOSE:
                self.leave()
            kind = _event(opcode, payload).get("type")
            came_back = kind == "ping" and self._in_room and self._stay is None and not self.diary.asleep
            if kind == "join" or came_back:
                self._in_room = True
                self._stay = Stay(_now())
                self.diary.stays.append(self._stay)

    def _server_said(self, data: bytes) -> None:
        for opcode, payload in self._from_server.feed(data):
            event = _event(opcode, payload)
            if opcode == CLOSE or event.get("type") == "moved":
                self.leave()
            if event.get("type") == "session_changed" and event["state"] == "ended":
                self.diary.ended_at = self.diary.ended_at or _now()

    @property
    def is_socket(self) -> bool:
        """Whether it is a websocket's."""
        return self._from_browser.is_socket

    def leave(self) -> None:
        """The page is not in the room by this connection any more."""
        self.pause()
        self._in_room = False

    def pause(self) -> None:
        """Nothing comes through."""
        if self._stay is not None:
            self._stay.end = _now()
            self._stay = None

    def reset(self) -> None:
        """End it at both ends without a word."""
        self.leave()
        for _, writer in self.ends:
            line: Any = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()


def _event(opcode: int, payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(payload) if opcode == TEXT else {}
    return found


class Cutter:
    """The line. Everything about it happens in a thread of its own; its methods are for the test's thread."""

    def __init__(self, server_port: int) -> None:
        """Listen on a free port, and carry on to `server_port` of 127.0.0.1."""
        self.stays: list[Stay] = []
        self.ended_at: datetime | None = None
        """When the page heard that the session is over."""
        self.asleep = False
        self._server_port = server_port
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening, self.flowing = self._do(self._listen)
        self.port: int = self._listening.sockets[0].getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"

    def cut(self) -> None:
        """Reset every websocket; the page may connect again at once."""
        self._do(self._cut)

    def freeze(self) -> None:
        """Let nothing through any more, in silence."""
        self._do(self._freeze)

    def thaw(self) -> None:
        """Let everything through again, what was held back first."""
        self._do(self._thaw)

    def fall_asleep(self) -> None:
        """Note in the diary that the page does not run from now on: nobody is there, whatever is still on the wire."""
        self.asleep = True
        self._do(self._pause)

    def wake_up(self) -> None:
        """Note that the page runs again: it is there as soon as it says so."""
        self.asleep = False

    def stop(self) -> None:
        """Close it."""
        self._do(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _do(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(PATIENCE)

    async def _listen(self) -> tuple[asyncio.Server, asyncio.Event]:
        flowing = asyncio.Event()
        flowing.set()
        return await asyncio.start_server(self._serve, HOST, 0), flowing

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.flowing.wait()
            server = await asyncio.open_connection(HOST, self._server_port)
        except OSError:
            # The server is away: the browser is to know as if it had asked there.
            writer.transport.abort()
            return
        connection = _Connection(self, (reader, writer), server)
        self._connections.add(connection)
        try:
            # Cancelled by `stop`: asyncio's streams would complain of it.
            with contextlib.suppress(asyncio.CancelledError):
                await connection.carry()
        finally:
            self._connections.discard(connection)

    async def _cut(self) -> None:
        for connection in [one for one in self._connections if one.is_socket]:
            connection.reset()

    async def _freeze(self) -> None:
        self.flowing.clear()
        await self._pause()

    async def _pause(self) -> None:
        for connection in self._connections:
            connection.pause()

    async def _thaw(self) -> None:
        self.flowing.set()

    async def _close(self) -> None:
        self._listening.close()
        self.flowing.set()
        for connection in list(self._connections):
            connection.reset()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
