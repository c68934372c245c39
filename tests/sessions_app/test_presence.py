"""Until when somebody was there: a goodbye, a line the network reports lost, silence, and a page on a new line."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from pytest_django import Settings

from accounts.models import Topic, User
from hopps.realtime.hub import hub
from hopps.realtime.sockets import LOST
from sessions_app import attendance, room
from sessions_app.consumers.beat import beat
from sessions_app.consumers.room import CAME_IN, REPLACED, ROOMS, RoomSocket
from sessions_app.models import Attendance, HelpSession
from tests.databases import now
from tests.people import be_present, make_accepted
from tests.sessions_app.sockets import Page, page_of, run, until_closed

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(seconds=settings.PRESENCE_SILENCE_SECONDS + 5)


@pytest.fixture(autouse=True)
def slow_machine(settings: Settings) -> None:
    """The pages of these tests speak when they are told to: a beat is long enough for a loaded machine."""
    settings.PRESENCE_BEAT_SECONDS = 2


def socket_of(page: Page) -> RoomSocket:
    """Return the server's end of a page that is in a room."""
    (found,) = (s for s in hub.sockets(ROOMS) if isinstance(s, RoomSocket) and s.page == page.page)
    return found


def ends(session: HelpSession, person: User) -> list[datetime | None]:
    """Return when the stretches of `person` ended, in order; None for one that is open."""
    return list(session.attendances.filter(person=person).order_by("joined_at").values_list("left_at", flat=True))


@contextmanager
def now_or_just_before() -> Iterator[list[datetime]]:
    """Yield a list that holds two moments afterwards: before and after the block."""
    moments = [now()]
    yield moments
    moments.append(now())


def test_a_line_that_the_network_reports_lost_counts_to_that_moment(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    moments: list[datetime] = []

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await page.say(type="ping")
        await page.hear("pong")
        with now_or_just_before() as between:
            await page.socket.disconnect(code=LOST, timeout=10)
        moments.extend(between)

    run(journey)
    (left,) = ends(session, alice)
    assert left is not None
    assert moments[0] <= left <= moments[1]


def test_a_page_that_was_silent_before_its_line_was_lost_counts_until_it_was_heard(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    heard = now() - timedelta(seconds=6)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await sync_to_async(Attendance.objects.update)(joined_at=heard - timedelta(seconds=60))
        socket_of(page).last_heard = heard
        await page.socket.disconnect(code=LOST, timeout=10)

    run(journey)
    assert ends(session, alice) == [heard]


def test_a_silent_page_is_gone_since_it_was_heard_and_its_next_word_brings_it_back(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = {person: room.grant(session=session, person=person) for person in (alice, eve)}
    heard = now() - LONG_AGO

    async def journey() -> None:
        for page, person in ((alices, alice), (eves, eve)):
            await page.open()
            await page.join(grants[person])
        await sync_to_async(Attendance.objects.update)(joined_at=heard - timedelta(seconds=60))
        await eves.say(type="sync")
        while not (await eves.hear("clock"))["running"]:
            pass
        socket_of(alices).last_heard = heard
        socket_of(eves).last_heard = now()
        await beat()
        # The other side is told at once, and its clock stands.
        assert await eves.hear("peer_left") == {"type": "peer_left", "page": str(alices.page), "goodbye": False}
        while (await eves.hear("presence"))["customer"]:
            pass
        assert not (await eves.hear("clock"))["running"]
        assert await sync_to_async(ends)(session, alice) == [heard]

        with now_or_just_before() as between:
            await alices.say(type="ping")
            assert (await eves.hear("peer_joined"))["page"] == str(alices.page)
        while not (await eves.hear("clock"))["running"]:
            pass
        back = await sync_to_async(session.attendances.get)(person=alice, left_at=None)
        assert between[0] <= back.joined_at <= between[1]
        for page in (alices, eves):
            await page.close()

    run(journey)


def test_a_line_that_ends_long_after_its_page_fell_silent_adds_nothing(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    heard = now() - LONG_AGO

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await sync_to_async(Attendance.objects.update)(joined_at=heard - timedelta(seconds=60))
        socket_of(page).last_heard = heard
        await beat()
        while await sync_to_async(ends)(session, alice) != [heard]:
            await page.hear("presence")
        # A laptop that wakes up lets go of its old line first.
        await page.close()

    run(journey)
    assert ends(session, alice) == [heard]


def test_a_page_on_a_new_line_was_on_the_old_one_until_it_was_last_heard_there(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    old, new = page_of(session, alice), page_of(session, alice)
    new.page = old.page
    grant = room.grant(session=session, person=alice)
    heard = now() - timedelta(seconds=4)

    async def journey() -> None:
        await old.open()
        await old.join(grant)
        # As it was written last, and as this process knows it.
        written = heard - timedelta(seconds=3)
        await sync_to_async(Attendance.objects.update)(joined_at=written - timedelta(seconds=60), last_seen_at=written)
        socket_of(old).last_heard = heard
        await new.open()
        assert (await new.join(None))["type"] == "welcome"
        assert await until_closed(old) == REPLACED
        await new.close()

    run(journey)
    first, second = ends(session, alice)
    assert first == heard
    assert second is not None


def test_a_stretch_closed_by_another_process_ends_when_this_one_last_heard_of_it_but_never_earlier(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    start = now() - timedelta(minutes=5)
    stretch = be_present(session, alice, start, left=start + timedelta(seconds=60)).pk

    def left_after_leaving_at(seconds: int) -> float:
        attendance.leave(attendance_id=stretch, at=start + timedelta(seconds=seconds))
        (left,) = ends(session, alice)
        assert left is not None
        return (left - start).total_seconds()

    assert left_after_leaving_at(62) == 62
    assert left_after_leaving_at(50) == 62


def test_who_is_heard_is_written_down_with_every_beat(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await page.say(type="ping")
        await page.hear("pong")
        with now_or_just_before() as between:
            await beat()
        stretch = await sync_to_async(session.attendances.get)()
        assert between[0] <= stretch.last_seen_at <= between[1]
        await page.close()

    run(journey)


def test_a_word_heard_in_the_moment_of_giving_up_keeps_the_page_in(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        socket = socket_of(page)
        socket.last_heard = now() - LONG_AGO
        await beat()
        socket.last_heard = now()
        await page.say(type="ping")
        await page.hear("pong")
        assert await sync_to_async(ends)(session, alice) == [None]
        await page.close()

    run(journey)


# --- two pages of one person ---


def test_of_two_tabs_that_come_in_at_once_one_is_in_the_call(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    tabs = [page_of(session, alice) for _ in range(2)]
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        for tab in tabs:
            await tab.open()
        for tab in tabs:
            await tab.say(type="join", page=tab.page, grant=grant)
        for tab in tabs:
            await tab.hear("welcome")
        # Which of them is the last where both came in the same moment, the database says.
        hearing = {asyncio.ensure_future(tab.hear("moved")): tab for tab in tabs}
        (moved,), (waiting,) = await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
        assert moved.result()
        waiting.cancel()
        last = hearing[waiting]
        await last.say(type="renew_video")
        assert (await last.hear("moved", "error", "carried_by_peer"))["type"] == "carried_by_peer"
        for tab in tabs:
            await tab.close()

    run(journey)


def test_a_tab_that_was_silent_when_another_took_over_was_there_until_it_was_heard(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    asleep, other = page_of(session, alice), page_of(session, alice)
    grant = room.grant(session=session, person=alice)
    heard = now() - timedelta(seconds=6)

    async def journey() -> None:
        await asleep.open()
        await asleep.join(grant)
        await sync_to_async(Attendance.objects.update)(joined_at=heard - timedelta(seconds=60), last_seen_at=heard)
        socket_of(asleep).last_heard = heard
        await other.open()
        await other.join(grant)
        await asleep.hear("moved")
        # Its socket, closed, has finished leaving.
        for page in (asleep, other):
            await page.close()

    run(journey)
    assert ends(session, alice)[0] == heard


def test_a_page_whose_line_was_lost_when_the_call_moved_takes_it_from_nobody(alice: User, eve: User, topic: Topic) -> None:
    """A laptop is back on the network after its person went on by phone."""
    session = make_accepted(alice, eve, topic)
    laptop, again, phone = (page_of(session, alice) for _ in range(3))
    again.page = laptop.page
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        await laptop.open()
        await laptop.join(grant)
        await laptop.socket.disconnect(code=LOST, timeout=10)
        await phone.open()
        assert (await phone.join(grant))["type"] == "welcome"
        await again.open()
        await again.say(type="join", page=again.page, grant=None)
        assert (await again.hear("moved", "welcome", "error"))["type"] == "moved"
        await phone.close()
        assert (await again.join(None))["type"] == "welcome"
        await again.close()

    run(journey)


def come_by_another_process(session: HelpSession, person: User, page: UUID) -> Attendance:
    """Write what another server process writes when a page comes in by it; its word to this one is lost."""
    return attendance.join(session=session, person=person, page=page, now=now())


def test_a_line_whose_page_came_by_another_process_takes_nothing_back(alice: User, eve: User, topic: Topic) -> None:
    """This process does not know yet that the line is dead: the page was heard on it a moment ago."""
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        there = await sync_to_async(come_by_another_process)(session, alice, page.page)
        await beat()
        assert await until_closed(page) == REPLACED
        assert (await sync_to_async(session.attendances.get)(left_at=None)).pk == there.pk

    run(journey)


def test_a_line_that_is_told_twice_that_its_page_has_another_takes_nothing_back(
    alice: User, eve: User, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own beat, which finds its presence closed, and by the other process's word, which comes in between."""
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        socket = socket_of(page)
        assert socket.attendance_id is not None
        there = await sync_to_async(come_by_another_process)(session, alice, page.page)
        may_stay = socket.may_stay

        async def may_stay_and_hears_the_word_meanwhile() -> bool:
            await socket.on_wake(CAME_IN)
            return await may_stay()

        monkeypatch.setattr(socket, "may_stay", may_stay_and_hears_the_word_meanwhile)
        await socket.come_back(socket.attendance_id)
        assert await until_closed(page) == REPLACED
        assert (await sync_to_async(session.attendances.get)(left_at=None)).pk == there.pk

    run(journey)
    assert session.attendances.count() == 2


def test_a_word_of_a_pages_old_line_that_is_late_ends_nothing_on_its_new_one(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, start = uuid4(), now() - timedelta(seconds=30)
    attendance.join(session=session, person=alice, page=page, now=start)
    newest = attendance.join(session=session, person=alice, page=page, now=start + timedelta(seconds=10))
    attendance.join(session=session, person=alice, page=page, now=start + timedelta(seconds=9))
    newest.refresh_from_db()
    assert newest.left_at is None


def test_a_line_is_let_go_as_soon_as_its_page_comes_by_another_process(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await sync_to_async(come_by_another_process)(session, alice, page.page)
        hub.wake_now(f"session:{session.pk}:person:{alice.pk}", CAME_IN)
        assert await until_closed(page) == REPLACED

    run(journey)
    assert len([end for end in ends(session, alice) if end is None]) == 1


def test_whatever_word_of_another_process_was_lost_a_page_that_syncs_is_right_again(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    eves, another_tab = uuid4(), uuid4()

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await sync_to_async(come_by_another_process)(session, eve, eves)
        await page.say(type="sync")
        assert (await page.hear("peer_joined"))["page"] == str(eves)
        await sync_to_async(come_by_another_process)(session, alice, another_tab)
        await page.say(type="sync")
        await page.hear("moved")
        await page.close()

    run(journey)
