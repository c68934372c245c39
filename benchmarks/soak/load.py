"""The load: open boards, and so many sessions at any time for so long. Returns what was seen."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from benchmarks.soak.boards import Boards
from benchmarks.soak.browser import Web
from benchmarks.soak.delays import Delays
from benchmarks.soak.journey import Customer, Stage, go
from benchmarks.soak.memory import Memory, watch
from benchmarks.soak.record import Record, Terms

# An expert switches to away and back this often for each board that is open, and is away this long, on average.
AWAY_EVERY_BOARD_SECONDS = 1000.0
AWAY_SECONDS = 5.0
# After the last session: nothing is under way any more once no board has heard anything for so long.
QUIET_SECONDS = 1.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Size:
    """How much, and for how long."""

    boards: int
    sessions: int
    seconds: float
    seed: int

    @property
    def customers(self) -> int:
        """How many people ask: everybody comes again."""
        return 2 * self.sessions

    @property
    def talk_seconds(self) -> tuple[float, float]:
        """How long two talk, at least and at most."""
        return self.seconds / 15, self.seconds / 3

    @property
    def line_seconds(self) -> float:
        """How long one waits between two lines of chat, on average."""
        return min(5.0, self.seconds / 15)


async def run(
    size: Size, people: dict[str, Any], addresses: list[str], memories: list[Memory], say: Any
) -> tuple[Record, Delays]:
    """Open the boards, hold sessions, let all come to an end, and return what was seen."""
    record, delays = Record(Terms(**people["terms"])), Delays()
    web = Web(addresses, record)
    boards = Boards(web, record)
    chance = random.Random(size.seed)  # noqa: S311  a load that can be repeated, no secret
    try:
        started = time.monotonic()
        await boards.connect(people["experts"])
        say(f"{size.boards} boards are open after {time.monotonic() - started:.1f} s")
        stage = Stage(
            web=web,
            boards=boards,
            record=record,
            delays=delays,
            chance=chance,
            topics=people["topics"],
            caps=people["caps"],
            talk_seconds=size.talk_seconds,
            line_seconds=size.line_seconds,
            until=time.monotonic() + size.seconds,
        )
        every = AWAY_EVERY_BOARD_SECONDS / size.boards
        come_and_go = boards.come_and_go(chance, every_seconds=every, away_seconds=AWAY_SECONDS)
        async with _beside(boards.keep_alive()):
            async with _beside(come_and_go, watch(memories)):
                await _hold_sessions(stage, [Customer(**one, knows=set()) for one in people["customers"]], size, say)
            await _quiet(boards)
    finally:
        boards.close()
        await web.close()
    return record, delays


async def _hold_sessions(stage: Stage, customers: list[Customer], size: Size, say: Any) -> None:
    """Keep so many sessions going; a new one takes the place of each that is over."""
    waiting = deque(customers)
    started = time.monotonic()

    async def place(number: int) -> None:
        # Not all in the same moment: spread over the shortest talk.
        await asyncio.sleep(number * size.talk_seconds[0] / size.sessions)
        while time.monotonic() < stage.until - size.talk_seconds[0]:
            customer = waiting.popleft()
            await go(stage, customer)
            waiting.append(customer)

    async def tell() -> None:
        while True:
            await asyncio.sleep(30)
            count, wrong = len(stage.record.journeys), len(stage.record.mishaps)
            say(f"{time.monotonic() - started:.0f} s: {count} sessions so far, {wrong} mishaps")

    async with _beside(tell()):
        await asyncio.gather(*(place(number) for number in range(size.sessions)))


async def _quiet(boards: Boards) -> None:
    """Wait until no board hears anything any more."""
    while time.monotonic() - boards.last_news < QUIET_SECONDS:
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _beside(*work: Awaitable[None]) -> Any:
    """Have these go on meanwhile. One that fails says so when this ends."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
