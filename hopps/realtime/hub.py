"""One hub a process: one channel-layer message wakes it, and it hands the same text to every socket of an audience.

Channels' own `group_send` puts one message into one queue per socket, and every consumer encodes it again. Here the
layer carries one message per *process*; `script/bench chime` shows what that is worth.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, Protocol, TypedDict

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from hopps.realtime.messages import Event, encode

logger = logging.getLogger(__name__)

GROUP = "hopps.hub"
JOIN_SECONDS = 2.0
# After this many sockets the loop gets a turn: what is written goes out, and other requests are not kept waiting.
SOCKETS_AT_ONCE = 100


class HubSocket(Protocol):
    """What the hub needs of a socket."""

    person_id: str

    def push(self, text: str) -> None:
        """Queue `text` for the page; must never block."""

    def wake(self, reason: str) -> None:
        """Something changed on the server that this socket's own code must look at; must never block."""


class Envelope(TypedDict):
    """What travels over the channel layer."""

    type: str
    audience: str
    text: str | None
    reason: str | None
    exclude: list[str]


class Hub:
    """The sockets of this process, by audience, and the way to reach all processes' sockets."""

    def __init__(self) -> None:
        self._audiences: defaultdict[str, set[HubSocket]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox: asyncio.Queue[Envelope] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        self._listening = asyncio.Event()

    # --- this process's sockets ---

    async def start(self) -> None:
        """Begin listening on the running loop; the first socket of a process calls this, later calls do nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._run(loop)
        with contextlib.suppress(TimeoutError):
            # A layer out of reach must not keep pages from their socket: they ask for the state when they open it.
            async with asyncio.timeout(JOIN_SECONDS):
                await self._listening.wait()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._outbox = asyncio.Queue()
        self._listening = asyncio.Event()
        self._tasks = {
            loop.create_task(self._listen()),
            loop.create_task(self._send_outbox()),
            *(loop.create_task(self._beat(seconds, function)) for seconds, function in self._beats),
        }

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

    # --- every process's sockets ---

    def publish(self, audience: str, event: Event, *, exclude: Collection[str] = ()) -> None:
        """Send `event` to every socket of `audience` on every process, after the running transaction commits.

        Args:
            audience: name of the audience, such as "session:<uuid>".
            event: what the pages are told.
            exclude: ids of people who are not to get it.
        """
        envelope = _envelope(audience, text=encode(event), exclude=exclude)
        transaction.on_commit(lambda: self._dispatch(envelope), robust=True)

    def wake(self, audience: str, reason: str) -> None:
        """Have every socket of `audience`, everywhere, run its `wake(reason)` after the running transaction commits."""
        envelope = _envelope(audience, reason=reason)
        transaction.on_commit(lambda: self._dispatch(envelope), robust=True)

    def publish_now(self, audience: str, event: Event, *, exclude: Collection[str] = ()) -> None:
        """`publish` for sockets passing something on: on the event loop, where no transaction is running."""
        self._dispatch(_envelope(audience, text=encode(event), exclude=exclude))

    def wake_now(self, audience: str, reason: str) -> None:
        """`wake` on the event loop, where no transaction is running."""
        self._dispatch(_envelope(audience, reason=reason))

    def _dispatch(self, envelope: Envelope) -> None:
        loop = self._loop
        if loop is not None and loop.is_running():
            # From whichever thread: one queue keeps the order in which things were published.
            loop.call_soon_threadsafe(self._outbox.put_nowait, envelope)
        elif not isinstance(get_channel_layer(), InMemoryChannelLayer):
            async_to_sync(_group_send)(envelope)
        # Otherwise this process has no sockets and no other process can be reached: there is nobody to tell.

    async def _send_outbox(self) -> None:
        while True:
            envelope = await self._outbox.get()
            try:
                await _group_send(envelope)
            except Exception:
                # The database holds the truth and pages ask for it again; a lost event must not end the hub.
                logger.exception("Could not publish to %s", envelope["audience"])

    async def _listen(self) -> None:
        layer: Any = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                self._listening.set()
                while True:
                    await self.deliver(await layer.receive(channel))
            except Exception:
                logger.exception("The channel layer is out of reach; trying again")
                await asyncio.sleep(1)

    async def deliver(self, envelope: Envelope) -> None:
        """Hand one envelope to this process's sockets."""
        text, reason, exclude = envelope["text"], envelope["reason"], frozenset(envelope["exclude"])
        members = self._audiences.get(envelope["audience"], set())
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


def _envelope(
    audience: str, *, text: str | None = None, reason: str | None = None, exclude: Collection[str] = ()
) -> Envelope:
    return Envelope(type="hub", audience=audience, text=text, reason=reason, exclude=list(exclude))


async def _group_send(envelope: Envelope) -> None:
    layer: Any = get_channel_layer()
    await layer.group_send(GROUP, dict(envelope))


hub = Hub()
