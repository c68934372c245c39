"""The experts' open boards: real sockets that ping and ask as the board's page does, and note what they are told."""

import asyncio
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.soak.browser import Browser, Web
from benchmarks.soak.record import Board, Closed, Opened, Record, State

CONNECTING_AT_ONCE = 20
PATIENCE_SECONDS = 60.0
# As the page does (static/js/lib/socket.js): a sign of life every 4 s, and every 30 s the whole state.
BEAT_SECONDS = 4.0
SYNC_EVERY = 8
TICKS_A_BEAT = 40
PING, SYNC = b'{"type":"ping"}', b'{"type":"sync"}'


class _Request(msgspec.Struct):
    id: str


class _Event(msgspec.Struct):
    """What of a board's event matters here."""

    type: str
    id: str = ""
    request: _Request | None = None
    available: bool = False
    session: str | None = None
    requests: list[_Request] = []


_decode = msgspec.json.Decoder(_Event).decode


@dataclass(frozen=True)
class Situation:
    """What decides whether an expert is chimed."""

    available: bool
    session: str | None


FREE = Situation(available=True, session=None)


class BoardPage(WSListener):
    """One expert's board."""

    def __init__(self, boards: "Boards", browser: Browser, record: Board) -> None:
        self.boards = boards
        self.browser = browser
        self.record = record
        self.transport: WSTransport | None = None
        self.is_claimed = False
        """Whether somebody of the load is doing something with this expert just now."""
        self._expected = FREE
        self._told: Situation | None = None
        self._settled = asyncio.Event()
        self._close_code: WSCloseCode | None = None

    @property
    def person(self) -> str:
        return self.record.expert

    @property
    def is_free(self) -> bool:
        """Whether this expert hears requests, and nothing is under way."""
        return not self.is_claimed and self._told == self._expected == FREE

    def expect(self, *, available: bool = True, session: str | None = None) -> None:
        """Say what will be true of this expert, before it is asked of the server: until the board says so, it is unsure."""
        self._expected = Situation(available, session)
        self._note(time.monotonic())

    async def settled(self) -> None:
        """Wait until the board shows what is expected. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._settled.wait()

    def _note(self, now: float) -> None:
        is_sure = self._told == self._expected
        hears = (self._expected.available and self._expected.session is None) if is_sure else None
        if not self.record.hears or self.record.hears[-1][1] is not hears:
            self.record.hears.append((now, hears))
        if is_sure:
            self._settled.set()
        else:
            self._settled.clear()

    def switch(self, *, available: bool) -> None:
        """Press the switch."""
        self.expect(available=available)
        self.send(msgspec.json.encode({"type": "set_availability", "available": available}))

    def send(self, message: bytes) -> None:
        """Send a message."""
        if self.transport is not None:
            self.transport.send(WSMsgType.TEXT, message)

    # --- what picows calls ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        if not self.boards.is_over:
            self.boards.record.mishaps.append(
                f"the board of {self.person} lost its socket, {self._close_code or 'without a word'}"
            )

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self._close_code = frame.get_close_code()
        if frame.msg_type != WSMsgType.TEXT:
            return
        now = time.monotonic()
        event = _decode(frame.get_payload_as_bytes())
        news = self.record.news
        match event.type:
            case "request_opened" if event.request is not None:
                news.append(Opened(now, event.request.id))
                self.boards.shows(self, event.request.id, now)
            case "request_closed":
                news.append(Closed(now, event.id))
                self.boards.shows_no_more(self, event.id, now)
            case "board_state":
                requests = frozenset(request.id for request in event.requests)
                news.append(State(now, requests))
                for request in requests:
                    self.boards.shows(self, request, now)
                self._told = Situation(event.available, event.session)
                self._note(now)
            case _:
                self.boards.record.mishaps.append(f"the board of {self.person} was told: {event}")


@dataclass
class Boards:
    """All of them."""

    web: Web
    record: Record
    pages: list[BoardPage] = field(default_factory=list)
    is_over: bool = False
    last_news: float = 0.0
    _showing: defaultdict[str, set[BoardPage]] = field(default_factory=lambda: defaultdict(set))
    _chimed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def connect(self, experts: list[dict[str, object]]) -> None:
        """Open a board for each expert, on each web process in turn, and wait until each shows its state."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one(place: int, expert: dict[str, object]) -> None:
            process = place % len(self.web.addresses)
            topics = expert["topics"]
            assert isinstance(topics, list)
            board = Board(str(expert["id"]), process, frozenset(map(str, topics)))
            page = BoardPage(self, Browser(self.web, str(expert["cookie"]), process), board)
            self.record.boards.append(board)
            self.pages.append(page)
            async with gate:
                await ws_connect(
                    lambda: page,
                    page.browser.socket_address("/ws/board/"),
                    extra_headers=page.browser.socket_headers(),
                    websocket_handshake_timeout=PATIENCE_SECONDS,
                )
                await page.settled()

        await asyncio.gather(*(one(place, expert) for place, expert in enumerate(experts)))

    def close(self) -> None:
        """Close all of them."""
        self.is_over = True
        for page in self.pages:
            if page.transport is not None:
                page.transport.disconnect()

    # --- who shows what ---

    def shows(self, page: BoardPage, request: str, now: float) -> None:
        """A board shows a request from now on."""
        self._showing[request].add(page)
        self.last_news = now

    def shows_no_more(self, page: BoardPage, request: str, now: float) -> None:
        """A board shows it no more."""
        self._showing[request].discard(page)
        self.last_news = now

    def shown_by(self, request: str, person: str) -> BoardPage | None:
        """Return the board of `person` if it shows a request and its expert is free."""
        return next((page for page in self._showing[request] if page.person == person and page.is_free), None)

    def some_that_show(self, request: str, chance: random.Random, *, most: int) -> list[BoardPage]:
        """Return up to `most` boards that show a request and whose expert is free, taken by chance."""
        showing = list(self._showing[request])
        begin = chance.randrange(len(showing)) if showing else 0
        # Not all of them are looked at: this is asked often, and there may be thousands.
        free = (page for page in (*showing[begin:], *showing[:begin]) if page.is_free)
        return list(islice(free, most))

    # --- what open boards do ---

    async def keep_alive(self) -> None:
        """Give each board's signs of life, spread over the beat, until cancelled."""
        tick = 0
        while True:
            turn, round_ = tick % TICKS_A_BEAT, tick // TICKS_A_BEAT
            for place in range(turn, len(self.pages), TICKS_A_BEAT):
                self.pages[place].send(SYNC if (round_ + place) % SYNC_EVERY == 0 else PING)
            tick += 1
            await asyncio.sleep(BEAT_SECONDS / TICKS_A_BEAT)

    async def come_and_go(self, chance: random.Random, *, every_seconds: float, away_seconds: float) -> None:
        """Have one expert after the other switch to away and back, until cancelled; whoever is away comes back then."""

        async def away(page: BoardPage) -> None:
            page.is_claimed = True
            try:
                page.switch(available=False)
                await page.settled()
                await asyncio.sleep(chance.uniform(0, 2 * away_seconds))
            except TimeoutError:
                self.record.mishaps.append(f"the board of {page.person} did not say that its switch was turned")
            finally:
                page.switch(available=True)
                page.is_claimed = False

        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(every_seconds)
                page = chance.choice(self.pages)
                if page.is_free:
                    group.create_task(away(page))
