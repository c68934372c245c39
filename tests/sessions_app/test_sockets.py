"""The session's socket: who is let into the room, what pages are told, what bad input does."""

import asyncio
import json
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from accounts.models import Topic, User
from hopps.realtime.hub import hub
from sessions_app import attendance, cancel, files, room
from sessions_app.consumers.beat import beat
from sessions_app.consumers.room import ROOMS, RoomSocket
from sessions_app.models import Attendance, ChatMessage, HelpSession, State
from tests.people import make_accepted, make_person
from tests.sessions_app.sockets import Page, admitted, page_of, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_both_joining_starts_the_session_and_the_clock_says_the_same_to_both(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = {person: room.grant(session=session, person=person) for person in (alice, eve)}

    async def journey() -> None:
        for page in (alices, eves):
            await page.open()
            assert (await page.hear("session_changed"))["state"] == "accepted"
        assert (await alices.join(grants[alice]))["peers"] == []
        assert (await eves.join(grants[eve]))["peers"] == [str(alices.page)]
        assert (await alices.hear("peer_joined"))["page"] == str(eves.page)
        clocks = []
        for page in (alices, eves):
            await page.say(type="sync")
            while (await page.hear("session_changed"))["state"] != "active":
                pass
            assert await page.hear("presence") == {"type": "presence", "customer": True, "expert": True}
            clocks.append(await page.hear("clock"))
        assert all(clock["running"] for clock in clocks)
        one, two = ((c["billable_seconds"], datetime.fromisoformat(c["as_of"])) for c in clocks)
        assert two[0] - one[0] == pytest.approx((two[1] - one[1]).total_seconds(), abs=0.01)
        await eves.close()
        assert await alices.hear("peer_left") == {"type": "peer_left", "page": str(eves.page), "goodbye": True}
        while (await alices.hear("clock"))["running"]:
            pass
        await alices.close()

    run(journey)
    session.refresh_from_db()
    assert session.state == State.ACTIVE
    assert not Attendance.objects.filter(left_at=None).exists()


def forged(session: HelpSession, person: User, **changes: Any) -> str:
    """Return a grant made as ours are, with `changes` to its claims or its key."""
    key = changes.pop("key", settings.SECRET_KEY)
    claims = {"aud": str(session.pk), "sub": str(person.pk), "exp": timezone.now() + timedelta(seconds=60), **changes}
    return jwt.encode(claims, key, algorithm="HS256")


def test_only_a_grant_for_this_person_and_room_and_minute_lets_in(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    bad = [
        None,
        "",
        "nonsense",
        forged(session, eve),
        forged(session, alice, aud=str(uuid4())),
        forged(session, alice, exp=timezone.now() - timedelta(seconds=1)),
        forged(session, alice, key="another key that is long enough for HS256"),
        jwt.encode({"aud": str(session.pk), "sub": str(alice.pk)}, "", algorithm="none"),
    ]
    page = page_of(session, alice)
    good = forged(session, alice)

    async def journey() -> None:
        await page.open()
        for grant in bad:
            assert (await page.join(grant))["type"] == "error", grant
        assert (await page.join(good))["type"] == "welcome"
        await page.close()

    run(journey)


def test_a_page_that_was_in_the_room_comes_back_without_a_grant(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    first, again, stranger = page_of(session, alice), page_of(session, alice), page_of(session, eve)
    again.page = stranger.page = first.page
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        await first.open()
        await first.join(grant)
        await first.close()
        await again.open()
        assert (await again.join(None))["type"] == "welcome"
        await again.close()
        await stranger.open()
        assert (await stranger.join(None))["type"] == "error"
        await stranger.close()

    run(journey)


def test_a_second_tab_takes_the_call_over(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    first, second = page_of(session, alice), page_of(session, alice)
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        for page in (first, second):
            await page.open()
            assert (await page.join(grant))["type"] == "welcome"
        await first.hear("moved")
        await first.say(type="signal", to=second.page, data={})
        assert "Join the call first" in (await first.hear("error"))["message"]
        await second.close()
        await first.close()

    run(journey)


def test_signals_reach_the_addressed_page_of_the_same_room_only(
    alice: User, bob: User, eve: User, erin: User, topic: Topic
) -> None:
    ours, theirs = make_accepted(alice, eve, topic), make_accepted(bob, erin, topic)
    alices, eves, bobs = page_of(ours, alice), page_of(ours, eve), page_of(theirs, bob)
    grants = [room.grant(session=s, person=p) for s, p in ((ours, alice), (ours, eve), (theirs, bob))]

    async def journey() -> None:
        for page, grant in zip((alices, eves, bobs), grants, strict=True):
            await page.open()
            await page.join(grant)
        await bobs.say(type="sync")
        for _ in ("after joining", "for the asking"):
            await bobs.hear("clock")
        await alices.say(type="signal", to=bobs.page, data={"sdp": "for nobody"})
        await alices.say(type="signal", to=eves.page, data={"sdp": "hello"})
        heard = await eves.hear("signal_from")
        assert heard == {"type": "signal_from", "page": str(alices.page), "data": {"sdp": "hello"}}
        assert await bobs.socket.receive_nothing(timeout=0.2)
        for page in (alices, eves, bobs):
            await page.close()

    run(journey)


def test_a_line_sent_twice_is_kept_once(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    line = uuid4()

    async def journey() -> None:
        for page in (alices, eves):
            await page.open()
        for _ in range(2):
            await alices.say(type="chat", id=line, body="SELECT 1;")
            assert (await alices.hear("chat_line"))["id"] == str(line)
        assert (await eves.hear("chat_line"))["body"] == "SELECT 1;"
        await eves.say(type="chat", id=line, body="somebody else's id")
        assert "could not be kept" in (await eves.hear("chat_refused"))["message"]
        await eves.say(type="chat", id=uuid4(), body="   ")
        assert "Write something" in (await eves.hear("chat_refused"))["message"]
        for page in (alices, eves):
            await page.close()

    run(journey)
    assert ChatMessage.objects.get().body == "SELECT 1;"


def test_who_writes_is_told_to_the_other_page_in_the_call_and_to_nobody_else(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        for page in (alices, eves):
            await page.open()
            await page.hear("clock")
        # Not in the call: nothing is told, and the line after it proves that it was passed over.
        await alices.say(type="typing")
        await alices.say(type="chat", id=uuid4(), body="not yet")
        assert (await eves.hear("other_types", "chat_line"))["type"] == "chat_line"
        await alices.join(grant)
        await alices.say(type="typing")
        await alices.say(type="chat", id=uuid4(), body="now")
        assert await eves.hear("other_types") == {"type": "other_types"}
        assert (await alices.hear("other_types", "chat_line"))["body"] == "now"
        for page in (alices, eves):
            await page.close()

    run(journey)


def test_whoever_comes_in_gets_the_files_that_were_sent(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page, file_id = page_of(session, eve), uuid4()
    files.attach(session=session, author=alice, message_id=file_id, name="a.txt", content=BytesIO(b"words"))
    grant = room.grant(session=session, person=eve)

    async def journey() -> None:
        await page.open()
        (line,) = (await page.join(grant))["chat"]
        address = f"/sessions/{session.pk}/files/{file_id}/"
        assert line["file"] == {"name": "a.txt", "size": 5, "is_image": False, "address": address}
        await page.close()

    run(journey)


def test_bad_messages_get_a_sentence_and_the_socket_stays(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, alice)
    bad = [
        "null", "[]", "{}", "not json", '{"type": "no_such"}', '{"type": "join"}', '{"type": "join", "page": 7}',
        '{"type": "ping", "extra": 1}', '{"type": "chat", "id": "x", "body": "y"}',
        json.dumps({"type": "chat", "id": str(uuid4()), "body": "x" * 5000}), '{"type": "media", "microphone": "yes"}',
        json.dumps({"type": "chat", "id": str(uuid4()), "body": "x" * 70_000}),
        json.dumps({"type": "chat", "id": str(uuid4()), "body": "a \0"}),
        f'{{"type": "signal", "to": "{uuid4()}", "data": ' + "[" * 20_000,
    ]  # fmt: skip

    async def journey() -> None:
        await page.open()
        for text in bad:
            await page.socket.send_to(text_data=text)
            assert (await page.hear("error", "chat_refused"))["message"]
        await page.socket.send_to(bytes_data=b"\xff\xfe")
        assert (await page.hear("error"))["message"]
        await page.say(type="sync")
        assert (await page.hear("clock"))["running"] is False
        await page.close()

    run(journey)
    assert not ChatMessage.objects.exists()


def test_nobody_enters_a_room_that_is_over(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    grant = room.grant(session=session, person=alice)
    page = page_of(session, alice)
    cancel.cancel(session_id=session.pk, customer=alice)

    async def journey() -> None:
        await page.open()
        assert "not open any more" in (await page.join(grant))["message"]
        await page.close()

    run(journey)


def test_ids_in_the_address_that_are_not_ours_are_refused() -> None:
    mallory = make_person("mallory@example.org", "Mallory")
    page = Page(f"/ws/sessions/{uuid4()}/", mallory)

    async def journey() -> None:
        assert not await admitted(page)

    run(journey)


def sweep_away_everybody() -> None:
    """Close all presence, as the sweep does after a long silence."""
    assert attendance.close_stale(timezone.now() + timedelta(seconds=settings.PRESENCE_STALE_SECONDS + 5))


def test_a_page_taken_for_gone_and_heard_again_is_counted_again(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = {person: room.grant(session=session, person=person) for person in (alice, eve)}

    async def journey() -> None:
        for page, person in ((alices, alice), (eves, eve)):
            await page.open()
            assert (await page.join(grants[person]))["type"] == "welcome"
        await sync_to_async(sweep_away_everybody)()
        for page in (alices, eves):
            await page.say(type="ping")
            await page.hear("pong")
        await beat()
        for page in (alices, eves):
            while not (await page.hear("clock"))["running"]:
                pass
        assert await sync_to_async(Attendance.objects.filter(left_at=None).count)() == 2
        await beat()
        assert await sync_to_async(Attendance.objects.count)() == 4
        for page in (alices, eves):
            await page.close()

    run(journey)
    assert not Attendance.objects.filter(left_at=None).exists()


def test_a_page_that_stays_silent_or_whose_room_is_over_is_not_counted_again(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, alice)
    grant = room.grant(session=session, person=alice)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await sync_to_async(sweep_away_everybody)()
        (socket,) = hub.sockets(ROOMS)
        assert isinstance(socket, RoomSocket)
        socket.last_heard = timezone.now() - timedelta(seconds=60)
        await beat()
        assert await sync_to_async(Attendance.objects.count)() == 1
        socket.last_heard = timezone.now()
        await sync_to_async(cancel.cancel)(session_id=session.pk, customer=alice)
        await beat()
        await asyncio.gather(*socket._tasks)
        assert socket.attendance_id is None
        assert not list(hub.sockets(ROOMS))
        await page.close()

    run(journey)
    assert Attendance.objects.count() == 1


def test_a_socket_whose_leaving_fails_is_forgotten(
    alice: User, eve: User, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, alice)
    grant = room.grant(session=session, person=alice)

    def fail(**_: Any) -> None:
        raise OSError("The database is out of reach.")

    monkeypatch.setattr(room, "go", fail)

    async def journey() -> None:
        await page.open()
        await page.join(grant)
        await page.close()

    run(journey)
    assert not list(hub.sockets(ROOMS))
    assert not list(hub.sockets(session.audience))
