"""Who may have a socket, and who may keep it: its two people, from our own pages, while they are signed in."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts.models import Topic, User
from hopps.realtime.hub import hub
from sessions_app import release, room
from sessions_app.models import Attendance, ChatMessage, HelpSession
from tests.people import make_accepted, make_active
from tests.sessions_app.sockets import Page, admitted, board, page_of, run, until_closed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_session_is_for_its_two_people_only(
    alice: User, bob: User, eve: User, erin: User, olga: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    pages = {person: page_of(session, person) for person in (None, alice, bob, eve, erin, olga)}

    async def journey() -> None:
        assert {person for person, page in pages.items() if await admitted(page)} == {alice, eve}

    run(journey)


def test_another_site_cannot_open_a_socket(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = Page(f"/ws/sessions/{session.pk}/", alice, origin="http://evil.example")

    async def journey() -> None:
        assert not await admitted(page)

    run(journey)


def test_the_page_of_an_expert_who_gave_it_back_is_closed(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, eve)

    async def journey() -> None:
        await page.open()
        await page.hear("clock")
        await sync_to_async(release.release)(session_id=session.pk, expert=eve)
        assert (await page.hear("session_changed"))["state"] == "requested"
        while (output := await page.socket.receive_output(timeout=10))["type"] != "websocket.close":
            pass
        assert output["code"] == 4403

    run(journey)


def test_somebody_suspended_loses_every_open_page(alice: User, eve: User, olga: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    pages = [board(eve), page_of(session, eve)]
    alices = page_of(session, alice)
    operator = Client()
    operator.force_login(olga)

    def suspend() -> None:
        answer = operator.post(f"/admin/accounts/user/{eve.pk}/suspend/", {"reason": "Threatened Alice"})
        assert answer.status_code == 302, answer.content.decode()

    async def journey() -> None:
        for page in (*pages, alices):
            await page.open()
            await page.hear("board_state", "clock")
        await sync_to_async(suspend)()
        assert [await until_closed(page) for page in pages] == [4403, 4403]
        assert (await alices.hear("session_changed"))["state"] == "ended"
        await alices.say(type="sync")
        await alices.hear("clock")
        for page in (*pages, alices):
            await page.close()

    run(journey)


def test_who_signs_out_leaves_the_call_and_the_board_of_that_browser_and_of_no_other(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    here, elsewhere = Client(), page_of(session, eve)
    here.force_login(eve)
    pages = [board(eve, here), page_of(session, eve, here)]
    grant = room.grant(session=session, person=eve)

    async def journey() -> None:
        for page in (*pages, elsewhere):
            await page.open()
            await page.hear("board_state", "clock")
        await pages[1].join(grant)
        await sync_to_async(here.post)("/accounts/logout/")
        assert [await until_closed(page) for page in pages] == [4403, 4403]
        for page in pages:
            await page.close()
        # The other browser stays, and is told that the call is left.
        while (await elsewhere.hear("presence"))["expert"]:
            pass
        await elsewhere.close()

    run(journey)
    assert Attendance.objects.get().left_at is not None


def test_another_password_ends_what_was_opened_with_the_one_before(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, eve)

    def change_password() -> None:
        eve.set_password("another-one-that-is-long-1")
        eve.save()

    async def journey() -> None:
        await page.open()
        await page.hear("clock")
        await sync_to_async(change_password)()
        await page.say(type="chat", id=uuid4(), body="Whoever sits here")
        assert await until_closed(page) == 4403
        await page.close()

    run(journey)
    assert not ChatMessage.objects.exists()


@pytest.mark.parametrize("message", [{"type": "sync"}, {"type": "join"}, {"type": "chat", "body": "Still here"}])
def test_who_is_no_longer_part_of_it_gets_nothing_even_where_no_wake_said_so(
    alice: User, eve: User, erin: User, topic: Topic, message: dict[str, str]
) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, eve)
    more = {"join": {"page": uuid4()}, "chat": {"id": uuid4()}}.get(message["type"], {})

    async def journey() -> None:
        await page.open()
        await page.hear("clock")
        await sync_to_async(HelpSession.objects.filter(pk=session.pk).update)(expert=erin)
        await page.say(**message, **more)
        assert await until_closed(page) == 4403
        assert not list(hub.sockets(session.audience))
        await page.close()

    run(journey)
    assert not ChatMessage.objects.exists()
