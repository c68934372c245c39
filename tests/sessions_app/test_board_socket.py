"""The board's socket: whom it chimes for, and what it takes back."""

import time
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts import deciding, reach
from accounts.models import ExpertProfile, Topic, User
from hopps.realtime.together import Together
from sessions_app import accept, release
from sessions_app.boards import Board, boards_of
from sessions_app.consumers import board as board_consumer
from sessions_app.matching import alerted_count
from tests.databases import now
from tests.people import make_accepted, make_request
from tests.sessions_app.sockets import admitted, board, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_board_is_for_experts_only(alice: User, eve: User, olga: User) -> None:
    pages = {"visitor": board(None), "alice": board(alice), "olga": board(olga), "eve": board(eve)}

    async def journey() -> None:
        assert {kind: await admitted(page) for kind, page in pages.items()} == {
            "visitor": False,
            "alice": False,
            "olga": False,
            "eve": True,
        }

    run(journey)


def test_a_request_chimes_and_is_withdrawn_everywhere_when_taken(alice: User, eve: User, erin: User, topic: Topic) -> None:
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            assert await page.open()
            assert (await page.hear("board_state"))["requests"] == []
        session = await sync_to_async(make_request)(alice, topic)
        for page in (eves, erins):
            assert (await page.hear("request_opened"))["request"]["id"] == str(session.pk)
        await sync_to_async(accept.accept)(session_id=session.pk, expert=eve)
        assert await erins.hear("request_closed") == {
            "type": "request_closed",
            "id": str(session.pk),
            "reason": "taken",
        }
        assert (await eves.hear("board_state"))["session"] == str(session.pk)
        for page in (eves, erins):
            await page.close()

    run(journey)


def test_a_busy_or_unavailable_or_excluded_expert_is_not_chimed(
    alice: User, bob: User, eve: User, erin: User, topic: Topic
) -> None:
    make_accepted(bob, eve, topic)
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            await page.open()
            await page.hear("board_state")
        await erins.say(type="set_availability", available=False)
        assert (await erins.hear("board_state"))["available"] is False
        await sync_to_async(make_request)(alice, topic)
        assert await eves.socket.receive_nothing(timeout=0.3)
        assert await erins.socket.receive_nothing(timeout=0.1)
        await erins.say(type="set_availability", available=True)
        state = await erins.hear("board_state")
        assert [request["title"] for request in state["requests"]] == ["Query is slow"]
        for page in (eves, erins):
            await page.close()

    run(journey)


def test_an_expert_who_gave_it_back_is_not_chimed_again(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            await page.open()
            await page.hear("board_state")
        await sync_to_async(release.release)(session_id=session.pk, expert=eve)
        assert (await erins.hear("request_opened"))["request"]["id"] == str(session.pk)
        assert (await eves.hear("board_state", "request_opened"))["requests"] == []
        for page in (eves, erins):
            await page.close()

    run(journey)


def test_a_suspended_expert_hears_nothing_more(alice: User, eve: User, topic: Topic) -> None:
    eves = board(eve)

    async def journey() -> None:
        await eves.open()
        await eves.hear("board_state")
        await sync_to_async(lambda: deciding.suspend(expert=eve.expert))()
        assert (await eves.hear("board_state"))["available"] is False
        await sync_to_async(make_request)(alice, topic)
        assert await eves.socket.receive_nothing(timeout=0.3)
        await eves.close()

    run(journey)


def test_a_quiet_expert_hears_nothing_until_that_is_over(
    alice: User, bob: User, eve: User, erin: User, topic: Topic
) -> None:
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            await page.open()
            assert (await page.hear("board_state"))["quiet_until"] is None
        session = await sync_to_async(make_request)(alice, topic)
        for page in (eves, erins):
            await page.hear("request_opened")
        until = now() + timedelta(hours=1)
        await sync_to_async(reach.be_quiet)(user=eve, until=until)
        state = await eves.hear("board_state")
        assert datetime.fromisoformat(state["quiet_until"]) == until
        assert (state["available"], state["requests"]) == (True, [])
        later = await sync_to_async(make_request)(bob, topic)
        await erins.hear("request_opened")
        assert await eves.socket.receive_nothing(timeout=0.1)
        # The hour has passed; the page asks.
        await sync_to_async(ExpertProfile.objects.filter(user=eve).update)(quiet_until=timezone.now())
        await eves.say(type="sync")
        state = await eves.hear("board_state")
        assert state["quiet_until"] is None
        assert [request["id"] for request in state["requests"]] == [str(session.pk), str(later.pk)]
        for page in (eves, erins):
            await page.close()

    run(journey)


def test_a_flood_is_cut(eve: User) -> None:
    page = board(eve)

    async def journey() -> None:
        await page.open()
        await page.hear("board_state")
        for _ in range(300):
            await page.say(type="ping")
        closed = await page.socket.receive_output(timeout=10)
        assert closed == {"type": "websocket.close", "code": 4429}

    run(journey)


def test_an_expert_with_an_open_board_counts_as_online(eve: User, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    assert alerted_count(session) == 0
    page = board(eve)

    async def journey() -> None:
        await page.open()
        await page.hear("board_state")
        await page.close()

    run(journey)
    assert alerted_count(session) == 1


def test_a_request_taken_while_the_board_is_read_does_not_come_back(
    alice: User, eve: User, erin: User, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_request(alice, topic)
    page = board(erin)
    slow = False

    def read_and_wait(people: Collection[UUID]) -> dict[UUID, Board]:
        boards = boards_of(people)
        if slow:
            accept.accept(session_id=session.pk, expert=eve)
            # The loop passes the news on meanwhile.
            time.sleep(0.3)
        return boards

    monkeypatch.setattr(board_consumer, "boards", Together(read_and_wait))

    async def journey() -> None:
        nonlocal slow
        await page.open()
        assert len((await page.hear("board_state"))["requests"]) == 1
        slow = True
        await page.say(type="sync")
        assert len((await page.hear("board_state", "request_closed"))["requests"]) == 1
        assert (await page.hear("request_closed"))["id"] == str(session.pk)
        await page.close()

    run(journey)


def test_reading_many_boards_takes_no_more_queries_than_reading_one(
    alice: User, eve: User, erin: User, topic: Topic
) -> None:
    session = make_request(alice, topic)

    def queries(*people: User) -> int:
        with CaptureQueriesContext(connection) as asked:
            boards = boards_of([person.pk for person in people])
        assert [[request.id for request in boards[person.pk].state.requests] for person in people] == [[session.pk]] * len(
            people
        )
        return len(asked)

    assert queries(eve, erin) == queries(eve) <= 5


def test_a_board_that_was_closed_counts_for_a_moment_more_and_an_open_one_beside_it_for_good(
    eve: User, settings: Settings
) -> None:
    def is_seen(*, after: int) -> bool:
        at = timezone.now() + timedelta(seconds=after)
        return ExpertProfile.objects.online(at).filter(user=eve).exists()

    first, second = board(eve), board(eve)

    async def journey() -> None:
        for page in (first, second):
            assert await page.open()
            await page.hear("board_state")
        await first.close()
        # The other tab is still there: it is believed for as long as ever.
        assert await sync_to_async(is_seen)(after=settings.PRESENCE_STALE_SECONDS - 2)
        await second.close()
        assert await sync_to_async(is_seen)(after=0)
        assert not await sync_to_async(is_seen)(after=settings.BOARD_BEAT_SECONDS + 2)

    run(journey)
