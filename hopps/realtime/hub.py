"""One hub a process: one message wakes it, and it hands the same text to every socket of an audience.

Channels' own `group_send` puts one message into one queue per socket, and every consumer encodes it again. Here the
layer carries one message per *process*; `script/bench chime` shows what that is worth.

The layer may lose messages: Redis is away, or a line to it is cut. The hub always knows when that may have happened, and
then has every socket look at the database again (decision 0021).
"""

import asyncio
import atexit
import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Protocol
from uuid import uuid4

import msgspec
from django.conf import settings
from django.db import transaction

from hopps.realtime.layer import ANSWER_SECONDS, LayerLost, RedisLayer
from hopps.realtime.messages import Event, encode

logger = logging.getLogger(__name__)

JOIN_SECONDS = 2.0
# A layer out of reach is tried again so often.
AGAIN_SECONDS = 0.5
# After this many sockets the loop gets a turn: what is written goes out, and other requests are not kept waiting.
SOCKETS_AT_ONCE = 100
# Who may have missed something asks the database: so many sockets, so far apart, that other people's requests get through.
CATCH_UP_AT_ONCE, CATCH_UP_SECONDS = 20, 0.05

# The reason to wake a socket with that may have missed something.
MISSED = "missed"


class HubSocket(Protocol):
    """What the hub needs of a socket."""

    person_id: str

    def push(self, text: str) -> None:
        """Queue `text` for the page; must never block."""

    def wake(self, reason: str) -> None:
        """Something changed on the server that this socket's own code must look at; must never block."""


class Envelope(msgspec.Struct, kw_only=True, array_like=True):
    """What travels between the processes: an event's text, or a reason, for an audience. None: for every socket."""

    audience: str | None
    text: str | None = None
    reason: str | None = None
    exclude: list[str] = []
    # Which process it is from, and the how manyeth of its envelopes it is.
    sender: str = ""
    number: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Envelope).decode


class Hub:
    """The sockets of this process, by audience, and the way to reach all processes' sockets."""

    def __init__(self) -> None:
        self._audiences: defaultdict[str, set[HubSocket]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._layer: RedisLayer | None = None
        self._outbox: asyncio.Queue[Envelope] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        self._listening = asyncio.Event()
        self._name = uuid4().hex
        self._number = 0
        # The last envelope that could not be published, and what tells the other processes that there was one.
        self._withheld = 0
        self._owning_up: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None

    # --- this process's sockets ---

    async def start(self) -> None:
        """Begin listening on the running loop; the first socket of a process calls this, later calls do nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._run(loop)
        with contextlib.suppress(TimeoutError):
            # A layer out of reach must not keep pages from their socket: they catch up once it is back.
            async with asyncio.timeout(JOIN_SECONDS):
                await self._listening.wait()

    def _run(self, loop: asyncio.AbstractEventLoop, *, serves_sockets: bool = True) -> None:
        self._loop = loop
        self._layer = RedisLayer(settings.REDIS_URL) if settings.REDIS_URL else None
        self._outbox = asyncio.Queue()
        self._listening = asyncio.Event()
        self._owning_up = self._catching_up = None
        self._tasks = {loop.create_task(self._send_outbox())}
        if not serves_sockets:
            return
        if self._layer is None:
            self._listening.set()
        else:
            self._tasks.add(loop.create_task(self._listen(self._layer)))
        self._tasks |= {loop.create_task(self._beat(seconds, function)) for seconds, function in self._beats}

    @property
    def is_listening(self) -> bool:
        """Whether what other processes publish arrives here now."""
        return self._listening.is_set()

    def every(self, seconds: float, function: Callable[[], Awaitable[None]]) -> None:
        """Have each process call `function` every `seconds` once it serves sockets. To be called at import time."""
        self._beats.append((seconds, function))

    def subscribe(self, socket: HubSocket, audience: str) -> None:
        """Add `socket` to `audience`."""
        self._audiences[audience].add(socket)

    def unsubscribe(self, socket: HubSocket, audiences: Collection[str]) -> None:
        """Take `socket` out of `audiences`."""
        for audience in audiences:
            members = self._audiences.get(audience)
            if members is None:
                continue
            members.discard(socket)
            if not members:
                del self._audiences[audience]

    def sockets(self, audience: str) -> Iterator[HubSocket]:
        """Yield this process's sockets of `audience`."""
        yield from tuple(self._audiences.get(audience, ()))

    def all_sockets(self) -> set[HubSocket]:
        """Return every socket of this process that is in any audience."""
        return set().union(*self._audiences.values())

    # --- every process's sockets ---

    def publish(self, audience: str, event: Event, *, exclude: Collection[str] = ()) -> None:
        """Send `event` to every socket of `audience` on every process, after the running transaction commits.

        Args:
            audience: name of the audience, such as "session:<uuid>".
            event: what the pages are told.
            exclude: ids of people who are not to get it.
        """
        envelope = Envelope(audience=audience, text=encode(event), exclude=list(exclude))
        transaction.on_commit(lambda: self._dispatch(envelope), robust=True)

    def wake(self, audience: str, reason: str) -> None:
        """Have every socket of `audience`, everywhere, run its `wake(reason)` after the running transaction commits."""
        envelope = Envelope(audience=audience, reason=reason)
        transaction.on_commit(lambda: self._dispatch(envelope), robust=True)

    def publish_now(self, audience: str, event: Event, *, exclude: Collection[str] = ()) -> None:
        """`publish` for sockets passing something on: on the event loop, where no transaction is running."""
        self._dispatch(Envelope(audience=audience, text=encode(event), exclude=list(exclude)))

    def wake_now(self, audience: str, reason: str) -> None:
        """`wake` on the event loop, where no transaction is running."""
        self._dispatch(Envelope(audience=audience, reason=reason))

    def _dispatch(self, envelope: Envelope) -> None:
        """Hand it to the loop and return at once, whatever has become of the layer."""
        loop = self._loop
        if (loop is None or not loop.is_running()) and settings.REDIS_URL:
            loop = self._loop_of_its_own()
        if loop is not None and loop.is_running():
            # From whichever thread: one queue keeps the order in which things were published.
            loop.call_soon_threadsafe(self._outbox.put_nowait, envelope)
        # Otherwise this process has no sockets and no other process can be reached: there is nobody to tell.

    def _loop_of_its_own(self) -> asyncio.AbstractEventLoop:
        """Have a thread publish what a process without sockets has to say: a job worker, a management command."""
        with self._starting:
            if self._loop is not None and self._loop.is_running():
                return self._loop
            loop = asyncio.new_event_loop()
            running = threading.Event()

            def run() -> None:
                asyncio.set_event_loop(loop)
                self._run(loop, serves_sockets=False)
                loop.call_soon(running.set)
                loop.run_forever()

            threading.Thread(target=run, name="hub", daemon=True).start()
            running.wait()
            atexit.register(self.close)
            return loop

    def close(self) -> None:
        """Let what was said last go out, where the layer takes it, and end the thread of a process without sockets."""
        loop = self._loop
        if loop is None or not loop.is_running():
            return
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(3 * ANSWER_SECONDS)
        loop.call_soon_threadsafe(loop.stop)

    async def stop(self) -> None:
        """Let what was said last go out, where the layer takes it, and stop listening and beating."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._outbox.join()
        tasks = [task for task in (*self._tasks, self._owning_up, self._catching_up) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._layer is not None:
            await self._layer.close()
        self._loop = None

    # --- the layer ---

    async def _send_outbox(self) -> None:
        while True:
            envelope = await self._outbox.get()
            try:
                await self._send(envelope)
            except Exception:
                # The database holds the truth and pages ask for it again; a lost event must not end the hub.
                logger.exception("Could not publish to %s", envelope.audience)
            self._outbox.task_done()

    async def _send(self, envelope: Envelope) -> None:
        if self._layer is None:
            await self.deliver(envelope)
            return
        self._number += 1
        envelope.sender, envelope.number = self._name, self._number
        if self._owning_up is None:
            try:
                await self._layer.publish(_encode(envelope))
            except LayerLost as problem:
                logger.warning("The layer is out of reach: only this process's sockets hear what it says. %s", problem)
                self._owning_up = asyncio.get_running_loop().create_task(self._own_up(self._layer))
            else:
                return
        # Not even tried while the layer is away: nobody waits for time-outs.
        self._withheld = envelope.number
        await self.deliver(envelope)

    async def _own_up(self, layer: RedisLayer) -> None:
        """Tell all processes that they missed something, as soon as the layer takes it."""
        while True:
            before = self._withheld
            try:
                await layer.publish(_encode(Envelope(audience=None, reason=MISSED)))
            except LayerLost:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if before == self._withheld:
                # Nothing was withheld since that was said.
                self._owning_up = None
                return

    async def _listen(self, layer: RedisLayer) -> None:
        while True:
            try:
                async for data in layer.listen():
                    if data is None:
                        self._listening.set()
                        self._catch_up()
                    else:
                        await self._receive(_decode(data))
            except LayerLost as problem:
                if self._listening.is_set():
                    logger.warning("The layer is out of reach; trying again. %s", problem)
            except Exception:
                logger.exception("Could not listen to the layer; trying again")
            self._listening.clear()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _receive(self, envelope: Envelope) -> None:
        if envelope.audience is None and envelope.reason == MISSED:
            self._catch_up()
        elif envelope.sender != self._name or envelope.number > self._withheld:
            await self.deliver(envelope)
        # Otherwise it was said to be lost, was delivered here without the layer, and came through all the same.

    def _catch_up(self) -> None:
        """Have every socket of this process look at the database again; one that began does not stop another."""
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._catching_up = asyncio.get_running_loop().create_task(self._wake_all())

    async def _wake_all(self) -> None:
        for number, socket in enumerate(self.all_sockets(), start=1):
            try:
                socket.wake(MISSED)
            except Exception:
                logger.exception("A socket could not be told to look again; the others are")
            if number % CATCH_UP_AT_ONCE == 0:
                await asyncio.sleep(CATCH_UP_SECONDS)

    async def deliver(self, envelope: Envelope) -> None:
        """Hand one envelope to this process's sockets."""
        text, reason, exclude = envelope.text, envelope.reason, frozenset(envelope.exclude)
        members = self._audiences.get(envelope.audience or "", set())
        for number, socket in enumerate(tuple(members), start=1):
            # A socket may have left the audience while others were served.
            if socket in members and socket.person_id not in exclude:
                try:
                    if text is not None:
                        socket.push(text)
                    if reason is not None:
                        socket.wake(reason)
                except Exception:
                    logger.exception("A socket could not take an event; the others get it")
            if number % SOCKETS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _beat(self, seconds: float, function: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await function()
            except Exception:
                logger.exception("A beat failed")


hub = Hub()
