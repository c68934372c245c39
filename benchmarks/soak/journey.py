"""One request from asking to the receipt, both people's part of it."""

import asyncio
import random
import time
from dataclasses import dataclass

from benchmarks.soak.boards import BoardPage, Boards
from benchmarks.soak.browser import Browser, Unexpected, Web
from benchmarks.soak.delays import Delays
from benchmarks.soak.record import Journey, Record, Side, Span
from benchmarks.soak.rooms import DONE, LEFT, RoomPage

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.2
# How often each of these happens, of a hundred.
CANCELLED, RACED, PAUSED, LEFT_AND_BACK, KNOWN_EXPERT = 5, 20, 15, 20, 30


@dataclass
class Customer:
    """Who asks."""

    id: str
    cookie: str
    card: str
    knows: set[str]
    """Ids of experts who helped."""


@dataclass
class Stage:
    """What all journeys share."""

    web: Web
    boards: Boards
    record: Record
    delays: Delays
    chance: random.Random
    topics: dict[str, int]
    """Price of a minute by topic, in minor units."""
    caps: list[int]
    talk_seconds: tuple[float, float]
    line_seconds: float
    """How long one side waits between two lines of chat, on average."""
    until: float
    """When the last sessions end."""

    def happens(self, percent: int) -> bool:
        """Return whether something that happens so often happens now."""
        return self.chance.random() * 100 < percent

    def some_process(self) -> int:
        """Return a web process for somebody's browser."""
        return self.chance.randrange(len(self.web.addresses))


async def go(stage: Stage, customer: Customer) -> None:
    """Ask, be helped, pay. What went otherwise than it should is a mishap of the record."""
    journey: Journey | None = None
    try:
        browser = Browser(stage.web, customer.cookie, stage.some_process())
        journey = await ask(stage, customer, browser)
        page = RoomPage(stage.record, browser, journey.session, journey.customer, stage.delays)
        await browser.get(f"/sessions/{journey.session}/")
        await page.open()
        if stage.happens(CANCELLED):
            await cancel(stage, journey, page)
            return
        accepted = page.becomes("accepted")
        board = await accept(stage, journey, customer)
        try:
            await accepted
            await help_session(stage, journey, page, board)
            customer.knows.add(board.person)
        finally:
            board.expect()
            board.is_claimed = False
    except (Unexpected, TimeoutError, OSError) as problem:
        where = f"session {journey.session}" if journey else "asking"
        stage.record.mishaps.append(f"{where}: {type(problem).__name__} {problem}")


async def ask(stage: Stage, customer: Customer, browser: Browser) -> Journey:
    """Make a request."""
    topic = stage.chance.choice(sorted(stage.topics))
    cap = stage.chance.choice(stage.caps)
    words = {
        "topic": topic,
        "title": "Query is slow",
        "details": "Since I added an index it takes 6 s. " * 8,
        "cap_minutes": cap,
        "card": customer.card,
    }
    sent = time.monotonic()
    leads_to = await browser.post("/ask/", words)
    asked = Span(sent, time.monotonic())
    stage.delays.note("ask: answered", asked.answered - asked.sent)
    journey = Journey(
        session=leads_to.strip("/").split("/")[-1],
        topic=topic,
        price_per_minute=stage.topics[topic],
        cap_minutes=cap,
        asked=asked,
        customer=Side(customer.id, browser.process),
    )
    stage.record.journeys.append(journey)
    return journey


async def cancel(stage: Stage, journey: Journey, page: RoomPage) -> None:
    """Call the request off after a moment."""
    await asyncio.sleep(stage.chance.uniform(0, 2))
    over = page.becomes("cancelled")
    sent = time.monotonic()
    await page.browser.post(f"/sessions/{journey.session}/cancel/", to_json=True)
    journey.cancelled = Span(sent, time.monotonic())
    await over
    await page.close(DONE)


async def accept(stage: Stage, journey: Journey, customer: Customer) -> BoardPage:
    """Have one of the experts take it whose board shows it; sometimes two press at once. Return the winner's board."""
    racers = await somebody(stage, journey, customer)
    for racer in racers:
        racer.is_claimed = True
        racer.expect(session=journey.session)
    answers = await asyncio.gather(*(_press(racer, journey) for racer in racers))
    winners = [racer for racer, span in zip(racers, answers, strict=True) if span is not None]
    for racer in racers:
        if racer not in winners:
            racer.expect()
            racer.is_claimed = False
    if len(winners) != 1:
        for racer in winners:
            racer.is_claimed = False
        raise Unexpected(f"{len(winners)} of {len(racers)} who pressed “Accept” got the request")
    (journey.taken,) = (span for span in answers if span is not None)
    journey.expert = Side(winners[0].person, winners[0].browser.process)
    stage.delays.note("accept: answered", journey.taken.answered - journey.taken.sent)
    return winners[0]


async def somebody(stage: Stage, journey: Journey, customer: Customer) -> list[BoardPage]:
    """Wait until free experts' boards show the request, and return the one or two of them who will press."""
    until = time.monotonic() + PATIENCE_SECONDS
    await asyncio.sleep(stage.chance.uniform(0.2, 2))
    wanted = 2 if stage.happens(RACED) else 1
    while not (found := stage.boards.some_that_show(journey.session, stage.chance, most=wanted)):
        if time.monotonic() > until:
            raise TimeoutError("no free expert's board shows the request")
        await asyncio.sleep(POLL_SECONDS)
    if customer.knows and stage.happens(KNOWN_EXPERT):
        known = stage.boards.shown_by(journey.session, stage.chance.choice(sorted(customer.knows)))
        if known is not None and known not in found:
            found[0] = known
    return found


async def _press(board: BoardPage, journey: Journey) -> Span | None:
    """Press “Accept”; return None where another was first."""
    sent = time.monotonic()
    path = f"/sessions/{journey.session}/accept/"
    status, _, body = await board.browser.web.send(board.browser.process, board.browser.cookie, "POST", path, to_json=True)
    if status == 409:
        return None
    if status != 200:
        raise Unexpected(f"accepting answered {status}: {body[:300]}")
    return Span(sent, time.monotonic())


async def help_session(stage: Stage, journey: Journey, customer: RoomPage, board: BoardPage) -> None:
    """Meet, talk, end it, read the receipt."""
    assert journey.expert is not None
    assert journey.taken is not None
    browser = Browser(stage.web, board.browser.cookie, stage.some_process())
    journey.expert.process = browser.process
    expert = RoomPage(stage.record, browser, journey.session, journey.expert, stage.delays)
    pages = (customer, expert)
    path = f"/sessions/{journey.session}/"
    await asyncio.gather(customer.browser.get(path), browser.get(path))
    await expert.open()
    actives = [page.becomes("active") for page in pages]
    await asyncio.gather(*(page.join() for page in pages))
    await asyncio.gather(*actives)
    stage.delays.note("accept: both in the room", time.monotonic() - journey.taken.sent)
    await board.settled()
    await talk(stage, journey, pages)
    await end(stage, journey, pages, board)


async def talk(stage: Stage, journey: Journey, pages: tuple[RoomPage, RoomPage]) -> None:
    """Write to each other for a while, and have done what happens in calls."""
    least, most = stage.talk_seconds
    until = min(time.monotonic() + stage.chance.uniform(least, most), max(stage.until, time.monotonic() + least))
    happenings = [chatter(stage, page, until) for page in pages]
    if stage.happens(PAUSED):
        happenings.append(pause(stage, journey, stage.chance.choice(pages), until))
    await asyncio.gather(*happenings)
    if stage.happens(LEFT_AND_BACK):
        who, other = stage.chance.sample(pages, 2)
        await leave_and_come_back(stage, who, other)
        await asyncio.gather(*(chatter(stage, page, time.monotonic() + least) for page in pages))


async def chatter(stage: Stage, page: RoomPage, until: float) -> None:
    """Write lines, and now and then a word into the notes; what was written is there before it ends."""
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(left, stage.chance.uniform(0, 2 * stage.line_seconds)))
        page.write_line()
        if stage.happens(30):
            await page.edit_notes()
    last = page.coming("chat_line", where=lambda event: event["id"] == page.side.said[-1])
    page.write_line()
    await last


async def pause(stage: Stage, journey: Journey, page: RoomPage, until: float) -> None:
    """Stop the clock, and let it go on before `until`."""
    third = max(0.0, until - time.monotonic()) / 3
    await asyncio.sleep(stage.chance.uniform(0, third))
    stop = await _timed(page, f"/sessions/{journey.session}/pause/")
    await asyncio.sleep(stage.chance.uniform(0, third))
    journey.pauses.append((stop, await _timed(page, f"/sessions/{journey.session}/resume/")))


async def _timed(page: RoomPage, path: str) -> Span:
    sent = time.monotonic()
    await page.browser.post(path, to_json=True)
    return Span(sent, time.monotonic())


async def leave_and_come_back(stage: Stage, who: RoomPage, other: RoomPage) -> None:
    """One side's line ends, with a goodbye or without one, and it is there again after a moment."""
    noticed = other.coming("peer_left")
    sent = time.monotonic()
    await who.close(LEFT if stage.happens(50) else None)
    await noticed
    who.gone(Span(sent, time.monotonic()))
    await asyncio.sleep(stage.chance.uniform(0.5, 3))
    await who.come_back()


async def end(stage: Stage, journey: Journey, pages: tuple[RoomPage, RoomPage], board: BoardPage) -> None:
    """One side ends it; both pages say goodbye, and wait for the receipt."""
    overs = [page.becomes("ended") for page in pages]
    path = f"/sessions/{journey.session}/"
    board.expect()
    journey.ended = await _timed(stage.chance.choice(pages), f"{path}end/")
    stage.delays.note("end: answered", journey.ended.answered - journey.ended.sent)
    await asyncio.gather(*overs)
    for page in pages:
        # The page fetches itself anew, says goodbye to the room and waits for the charge on a new socket.
        await page.browser.get(path)
        await page.close(DONE)
        page.gone(journey.ended)
    await asyncio.gather(*(paid(page) for page in pages))
    stage.delays.note("end: charged", time.monotonic() - journey.ended.sent)
    receipt, *_ = await asyncio.gather(*(page.browser.get(path) for page in pages))
    journey.receipt_total = _total_of(receipt)
    journey.notes = await pages[0].browser.get(f"{path}notes.txt")
    await board.settled()


async def paid(page: RoomPage) -> None:
    """Wait on a new socket until the charge is through."""
    over = page.coming("session_changed", where=lambda event: event["charge"] in ("charged", "free"))
    await page.open()
    await over
    await page.close(DONE)


def _total_of(receipt: str) -> str:
    """Return what the receipt's page says was paid."""
    return receipt.partition('class="big-num">')[2].partition("<")[0]
