"""A page at the other end of a socket, without a browser: what it sends, what it got, and whether it reads at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from accounts.models import User
from hopps.realtime.messages import Event, Message, Ping
from hopps.realtime.sockets import Socket

SECONDS = 10.0


class Said(Event):
    """An event of these tests."""

    words: str


class Say(Message):
    """A message of these tests."""

    words: str


class TestSocket(Socket):
    """Hears one audience, and says back what it is told."""

    __test__ = False
    decoder: ClassVar[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(Say | Ping)

    def __init__(self, *, audience: str, admitted: bool = True) -> None:
        super().__init__()
        self.audience = audience
        self.admitted = admitted
        self.reasons: list[str] = []

    async def admit(self) -> bool:
        return self.admitted

    async def greet(self) -> None:
        self.listen_to(self.audience)

    async def on_say(self, message: Say) -> None:
        self.tell(Said(words=message.words))

    async def on_wake(self, reason: str) -> None:
        self.reasons.append(reason)


class Page:
    """The far end of one socket. While `reads` is not set, the server's writing to it waits, as on a stalled network."""

    def __init__(self, socket: TestSocket) -> None:
        self.socket = socket
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.texts: list[str] = []
        self.code: int | None = None
        self.gone = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._changed = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        return await self.to_server.get()

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the server writes."""
        await self.reads.wait()
        if self.gone:
            raise OSError("The connection is gone.")
        if message["type"] == "websocket.send":
            self.texts.append(message["text"])
        elif message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        self._changed.set()

    def say(self, text: str) -> None:
        """Send `text` to the server."""
        self.to_server.put_nowait({"type": "websocket.receive", "text": text})

    @property
    def words(self) -> list[str]:
        """What the events said, in order."""
        return [json.loads(text)["words"] for text in self.texts]

    async def until_heard(self, number: int) -> None:
        """Wait until `number` texts came."""
        await self._until(lambda: len(self.texts) >= number)

    async def until_closed(self) -> int:
        """Wait until the server closed the socket; return the code."""
        await self._until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not happened():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def open_page(person: UUID, *, audience: str = "a", admitted: bool = True) -> AsyncIterator[Page]:
    """Open a socket as `person`, yield its far end, and close it."""
    page = Page(TestSocket(audience=audience, admitted=admitted))
    scope = {"type": "websocket", "user": User(pk=person, email=f"{person}@example.org")}
    serving = asyncio.create_task(page.socket(scope, page.receive, page.send))
    page.to_server.put_nowait({"type": "websocket.connect"})
    async with asyncio.timeout(SECONDS):
        while not page.to_server.empty() or not page.socket.person_id:
            if serving.done():
                await serving  # says why it did not open
            await asyncio.sleep(0)
    try:
        yield page
    finally:
        page.reads.set()
        page.to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(SECONDS):
            await serving
