"""The consumer every page's websocket stands on: typed messages in, queued text out, floods cut."""

import asyncio
import contextlib
import hashlib
import logging
import time
import types
from collections import deque
from collections.abc import AsyncIterator, Collection, Coroutine, Generator
from datetime import datetime
from importlib import import_module
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from channels.auth import get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import timezone

from hopps import limits
from hopps.limits import Limit, TooOften
from hopps.realtime.hub import MISSED, hub
from hopps.realtime.messages import Error, Event, Message, Ping, Sync, encode

logger = logging.getLogger(__name__)

# More than this and the page is not ours, or is broken.
MESSAGES_ALLOWED = 200
MESSAGES_WINDOW_SECONDS = 10.0
# The same of all a person's pages at one process together.
PERSON_MESSAGES_ALLOWED = 600
LOOKED_AT_EACH = 10
# So many pages one person may have open at one process. Each costs memory, and everything is said to each of them.
SOCKETS_ALLOWED = 30
MESSAGE_BYTES_ALLOWED = 64 * 1024
# A page that reads this slowly is cut off: it will reconnect and ask for the state.
QUEUE_ALLOWED = 500

FLOODED = 4429
TOO_SLOW = 4408
NOT_YOURS_ANY_MORE = 4403
# What the browser's side calls a connection that ended without a word.
LOST = 1006
# Codes with which a browser says goodbye itself: 1000 and 1001 (page left), 1005 (closed without a code).
GOODBYES = frozenset({1000, 1001, 1005})

# The reasons to wake `person_audience` with: look at the person again; a sign-in ended, whose name follows.
PERSON = "person"
SIGNED_OUT = "signed out: "


# Where the scope keeps the server's own `send`.
DIRECT_SEND = "hopps.send"


def person_audience(person_id: UUID | str) -> str:
    """Return the hub's audience for all sockets of one person: woken with PERSON, they ask whether they may stay."""
    return f"person:{person_id}"


def signed_out(*, person_id: UUID, session_key: str) -> None:
    """Close the sockets that were opened with a sign-in which ends now: another person may sit at that browser next."""
    hub.wake(person_audience(person_id), SIGNED_OUT + _named(session_key))


def _named(session_key: str | None) -> str:
    # Whoever has the key is signed in: it does not travel between processes.
    return hashlib.sha256((session_key or "").encode()).hexdigest()


class DirectSend:
    """Outermost ASGI middleware: keeps the server's own `send` in the scope.

    The session middleware wraps `send` to set cookies, which a websocket can do only while it opens; for one event to a
    thousand sockets that wrapper costs as much as writing.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self.application({**scope, DIRECT_SEND: send}, receive, send)


class Socket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels carries no types
    """A page's websocket.

    Subclasses set `decoder`, say in `admit` who may connect, and have one `on_<type>` method for each message of the page.
    """

    # The hub is this process's one reader of the channel layer; a queue per socket is what it saves.
    channel_layer_alias = None
    decoder: ClassVar[msgspec.json.Decoder[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.person_id = ""
        self.last_heard: datetime = timezone.now()
        self._audiences: set[str] = set()
        self._queue: deque[str] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._cut_off = False
        # From here on this socket hears nothing and says nothing, whatever is still under way in its name.
        self._gone = False
        self._code = LOST
        self._held: list[str] | None = None
        self._reading = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._window_started = 0.0
        self._window_count = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # However it ended, also by an exception: a dead socket must not stay in any audience or room.
            self._hear_nothing_more()
            for task in tuple(self._tasks):
                task.cancel()
            try:
                await self.gone(self._code)
            except Exception:
                logger.exception("A socket could not finish what it does on leaving")

    # --- connecting ---

    async def admit(self) -> bool:
        """Return whether this person may have this socket."""
        raise NotImplementedError

    async def greet(self) -> None:
        """Subscribe to audiences and send the first state."""

    async def catch_up(self) -> None:
        """Send all that the page may have missed: what was published lately may not have come through."""
        raise NotImplementedError

    async def connect(self) -> None:
        await hub.start()
        user = self.scope["user"]
        if not user.is_authenticated or not user.is_active:
            await self.close()
            return
        self.person_id = str(user.pk)
        if self._connects_too_often() or not await self.admit():
            await self.close()
            return
        if len(list(hub.sockets(person_audience(self.person_id)))) >= SOCKETS_ALLOWED:
            logger.warning("Somebody has %d pages open, and gets no line for another", SOCKETS_ALLOWED)
            await self.close()
            return
        # Counted from now on, and not only when it is greeted: many may open at once.
        self.listen_to()
        await self.accept()
        await self.greet()

    @property
    def address(self) -> str:
        """The IP address it comes from, as hopps.server took it; empty where it is not known."""
        address: str = (self.scope.get("client") or ("",))[0]
        return address

    def _connects_too_often(self) -> bool:
        try:
            limits.spend_here(Limit.CONNECT, person=self.person_id, address=self.address)
        except TooOften:
            return True
        return False

    async def may_stay(self) -> bool:
        """Ask the database again whether this socket is still for its person, and close it where it is not."""
        if await self._is_signed_in() and await self.admit():
            return True
        await self.dismiss()
        return False

    async def _is_signed_in(self) -> bool:
        """Return whether the sign-in this socket was opened with still stands: signed out, or another password, ends it."""
        sign_in = import_module(settings.SESSION_ENGINE).SessionStore(self.scope["session"].session_key)
        user = await get_user({"session": sign_in})
        return user.is_active and str(user.pk) == self.person_id

    async def dismiss(self, code: int = NOT_YOURS_ANY_MORE) -> None:
        """Close the socket of somebody who may not have it any more; from now on it hears nothing and does nothing."""
        # Not only when the page answers the closing: it may take its time.
        self._hear_nothing_more()
        with contextlib.suppress(OSError, RuntimeError):
            await self.close(code)

    async def disconnect(self, code: int) -> None:
        self._code = code

    async def gone(self, code: int) -> None:
        """Tidy up after the socket, which the hub has forgotten already; `code` is LOST where it ended without one."""

    def listen_to(self, *audiences: str) -> None:
        """Make `audiences` the ones this socket hears, and no others but its person's own; none once it is gone."""
        wanted = set() if self._gone else {person_audience(self.person_id), *audiences}
        hub.unsubscribe(self, self._audiences - wanted)
        for audience in wanted:
            hub.subscribe(self, audience)
        self._audiences = wanted

    def is_listening_to(self, audiences: Collection[str]) -> bool:
        """Return whether `audiences`, and its person's own, are the ones this socket hears; True once it is gone."""
        return self._gone or self._audiences == {person_audience(self.person_id), *audiences}

    def _hear_nothing_more(self) -> None:
        self._gone = True
        self.listen_to()

    # --- page to server ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._gone:
            return
        self.last_heard = timezone.now()
        if self._flooding():
            await self.dismiss(FLOODED)
            return
        if text_data is None or len(text_data) > MESSAGE_BYTES_ALLOWED:
            self.tell(Error(message="That message is too large, or not text."))
            return
        try:
            message: Message = self.decoder.decode(text_data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            self.tell(Error(message=f"That message could not be read: {problem}."))
            return
        if isinstance(message, Ping):
            self.on_ping()
            return
        try:
            await self._handle(message)
        except Exception:
            # One message that failed is no reason to take the page's whole connection away.
            logger.exception("A message of type %s failed", message.__struct_config__.tag)
            self.tell(Error(message="That did not work. Try again."))

    def on_ping(self) -> None:
        """The page gave its sign of life."""

    async def _handle(self, message: Message) -> None:
        # Who asks for everything gets it only while it is theirs: a wake that said otherwise may have been lost.
        if isinstance(message, Sync) and not await self.may_stay():
            return
        handler = getattr(self, f"on_{message.__struct_config__.tag}")
        await handler(message)

    def _flooding(self) -> bool:
        now = time.monotonic()
        if now - self._window_started > MESSAGES_WINDOW_SECONDS:
            self._window_started, self._window_count = now, 0
        self._window_count += 1
        return self._window_count > MESSAGES_ALLOWED or self._person_is_flooding(now)

    def _person_is_flooding(self, now: float) -> bool:
        """Return whether all pages of this person together say too much. Looked at now and then: it costs more."""
        if self._window_count % LOOKED_AT_EACH:
            return False
        mine = [other for other in hub.sockets(person_audience(self.person_id)) if isinstance(other, Socket)]
        lately = [other for other in mine if now - other._window_started <= MESSAGES_WINDOW_SECONDS]
        return sum(other._window_count for other in lately) > PERSON_MESSAGES_ALLOWED

    # --- server to page ---

    def tell(self, event: Event) -> None:
        """Queue one event for this page alone."""
        self.push(encode(event))

    def push(self, text: str) -> None:
        """Send `text` at once where the socket takes it at once; queue it otherwise. A slow socket delays nobody else."""
        if self._cut_off or self._gone:
            return
        if self._held is not None:
            self._held.append(text)
            return
        if self._writer is not None:
            self._enqueue(text)
            return
        sending = self._send(text)
        try:
            # Run up to where it would wait, which it mostly does not: a task for each socket and event would cost more
            # than the writing.
            waits_for = sending.send(None)
        except StopIteration:
            return
        except (OSError, RuntimeError):
            # The socket closed under us; `disconnect` follows.
            return
        self._writer = asyncio.get_running_loop().create_task(self._write(sending, waits_for))

    @contextlib.asynccontextmanager
    async def holding_back(self) -> AsyncIterator[list[Event]]:
        """Hold back what is pushed while a snapshot is read, so that nothing newer goes out before it.

        Yields the list to put the snapshot's events into; they go first, then what was held back. One snapshot at a time,
        or the older of two could go out last.
        """
        async with self._reading:
            snapshot: list[Event] = []
            held: list[str] = []
            self._held = held
            try:
                yield snapshot
            finally:
                self._held = None
                for event in snapshot:
                    self.tell(event)
                for text in held:
                    self.push(text)

    def _enqueue(self, text: str) -> None:
        if len(self._queue) < QUEUE_ALLOWED:
            self._queue.append(text)
            return
        self._cut_off = True
        self._queue.clear()
        self.later(self._close_slow())

    async def _close_slow(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            # Waits like all writing does; where the page never reads again, the server's own ping time-out ends it.
            await self.close(TOO_SLOW)

    def _send(self, text: str) -> Coroutine[Any, Any, None]:
        send = self.scope.get(DIRECT_SEND, self.base_send)
        sending: Coroutine[Any, Any, None] = send({"type": "websocket.send", "text": text})
        return sending

    async def _write(self, started: Coroutine[Any, Any, None], waits_for: Any) -> None:
        try:
            await _resumed(started, waits_for)
            while self._queue:
                await self._send(self._queue.popleft())
        except (OSError, RuntimeError):
            self._queue.clear()
        finally:
            self._writer = None

    def wake(self, reason: str) -> None:
        """Look again at what `reason` names, in a task of this socket's own."""
        if reason == PERSON:
            self.later(self.may_stay())
        elif reason == MISSED:
            self.later(self._catch_up())
        elif reason.startswith(SIGNED_OUT):
            # Not asked of the database: the sign-in goes from there a moment after this is said.
            if reason == SIGNED_OUT + _named(self.scope["session"].session_key):
                self.later(self.dismiss())
        else:
            self.later(self.on_wake(reason))

    async def on_wake(self, reason: str) -> None:
        """Look again at what `reason` names."""

    async def _catch_up(self) -> None:
        # That it is not its person's any more may be what it missed.
        if await self.may_stay():
            await self.catch_up()

    def later(self, work: Any) -> None:
        """Run the coroutine `work` beside this one, kept until it is done or the socket is gone."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@types.coroutine
def _resumed(started: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that ran up to its first wait outside a task (Python 3.12's eager tasks, for 3.11 as well)."""
    try:
        while True:
            try:
                value = yield waits_for
            except BaseException as problem:
                waits_for = started.throw(problem)
            else:
                waits_for = started.send(value)
    except StopIteration:
        return
