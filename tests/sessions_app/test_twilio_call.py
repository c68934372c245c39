"""A call through a room at Twilio as the two pages' sockets see it: who gets a token, and what if it is out of reach."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import Topic, User
from hopps.errors import Refused
from sessions_app import cancel, release, room
from sessions_app.models import Attendance, HelpSession, Video
from sessions_app.video import rooms
from sessions_app.video.carrier import carrier_of
from sessions_app.video.service import Room
from sessions_app.video.twilio import TOKEN_SECONDS, TwilioRooms
from tests.peers.twilio_api import ACCOUNT
from tests.peers.twilio_video import KEY, SECRET, TwilioVideo
from tests.people import make_accepted
from tests.sessions_app.sockets import Page, page_of, run

CARRIERS = ("carried_by_peer", "carried_by_twilio")


@pytest.fixture(autouse=True)
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are set."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def session(video_peer: TwilioVideo, alice: User, eve: User, topic: Topic) -> HelpSession:
    """A session Eve accepted."""
    session = make_accepted(alice, eve, topic)
    session.refresh_from_db()
    return session


async def come_in(page: Page, grant: str) -> dict[str, Any]:
    """Join; return what the page is told of what carries the call, or the error."""
    await page.open()
    await page.say(type="join", page=page.page, grant=grant)
    return await page.hear(*CARRIERS, "error")


def read(token: str) -> dict[str, Any]:
    """Read a token as Twilio does."""
    assert jwt.get_unverified_header(token)["cty"] == "twilio-fpa;v=1"
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY)
    return claims


# --- who gets in ---


@pytest.mark.django_db(transaction=True)
def test_each_gets_a_token_of_their_own_for_this_room(session: HelpSession, alice: User, eve: User) -> None:
    pages = {person: page_of(session, person) for person in (alice, eve)}
    grants = {person: room.grant(session=session, person=person) for person in pages}
    heard: dict[User, dict[str, Any]] = {}

    async def journey() -> None:
        for person, page in pages.items():
            heard[person] = await come_in(page, grants[person])
            assert (await page.hear("welcome"))["type"] == "welcome"
        for page in pages.values():
            await page.close()

    run(journey)
    assert session.room_sid
    for person, carrier in heard.items():
        assert (carrier["type"], carrier["room"], carrier["seconds"]) == ("carried_by_twilio", session.room_sid, 3600)
        claims = read(carrier["token"])
        assert claims["sub"] == ACCOUNT
        assert claims["grants"] == {"identity": str(person.pk), "video": {"room": session.room_sid}}
        assert claims["exp"] - jwt.decode(grants[person], options={"verify_signature": False})["exp"] > 3000


@pytest.mark.django_db
def test_nobody_else_gets_a_token_and_nobody_after_the_end(
    video_peer: TwilioVideo, alice: User, bob: User, eve: User, erin: User, olga: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    rooms.open_room(session.pk)
    session.refresh_from_db()
    for person in (bob, erin, olga):
        with pytest.raises(Refused):
            carrier_of(session, person)
    release.release(session_id=session.pk, expert=eve)
    session.refresh_from_db()
    for person in (alice, eve):
        with pytest.raises(Refused, match="not open any more"):
            carrier_of(session, person)


@pytest.mark.django_db(transaction=True)
def test_a_page_gets_a_fresh_token_when_it_asks(session: HelpSession, alice: User) -> None:
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        first = await come_in(page, grant)
        await page.say(type="renew_video")
        second = await page.hear(*CARRIERS)
        assert second["room"] == first["room"]
        assert read(second["token"])["exp"] >= read(first["token"])["exp"]
        await page.close()

    run(journey)


@pytest.mark.django_db(transaction=True)
def test_credentials_are_for_pages_in_the_room(session: HelpSession, alice: User) -> None:
    page = page_of(session, alice)

    async def journey() -> None:
        await page.open()
        for message in ({"type": "renew_video"}, {"type": "video_failed", "reason": "53000"}):
            await page.say(**message)
            assert "Join the call first" in (await page.hear("error"))["message"]
        await page.say(type="video_failed", reason="x" * 201)
        assert await page.hear("error")
        await page.close()

    run(journey)


# --- made on joining ---


@pytest.mark.django_db(transaction=True)
def test_a_room_that_could_not_be_made_on_accepting_is_made_on_joining(
    video_peer: TwilioVideo, alice: User, eve: User, topic: Topic
) -> None:
    video_peer.refuse_next(status=503)
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    session.refresh_from_db()
    assert session.room_sid == ""

    async def journey() -> None:
        assert (await come_in(page, grant))["type"] == "carried_by_twilio"
        await page.close()

    run(journey)
    session.refresh_from_db()
    assert video_peer.open_rooms() == [session.room_sid]


@pytest.mark.django_db(transaction=True)
def test_nobody_counts_as_there_while_they_wait_for_their_room(
    video_peer: TwilioVideo, alice: User, eve: User, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_peer.refuse_next(status=503)
    session = make_accepted(alice, eve, topic)
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)
    made: list[datetime] = []

    class Slow(TwilioRooms):
        def open(self, name: str) -> Room:
            room = super().open(name)
            made.append(timezone.now())
            return room

    monkeypatch.setattr(rooms, "service", Slow)

    async def journey() -> None:
        assert (await come_in(page, grant))["type"] == "carried_by_twilio"
        await page.close()

    run(journey)
    assert Attendance.objects.get(session=session).joined_at >= made[0]


@pytest.mark.django_db(transaction=True)
def test_who_cannot_be_given_a_token_is_not_in_and_can_try_again(
    session: HelpSession, settings: Settings, alice: User
) -> None:
    """The page shows the door again: counted as there, they would be billed for standing before it."""
    settings.TWILIO_API_KEY_SECRET = ""
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        assert (await come_in(page, grant))["type"] == "error"
        assert not await sync_to_async(session.attendances.filter(left_at=None).exists)()
        settings.TWILIO_API_KEY_SECRET = SECRET
        await page.say(type="join", page=uuid4(), grant=grant)
        assert (await page.hear(*CARRIERS, "error"))["type"] == "carried_by_twilio"
        await page.close()

    run(journey)


# --- out of reach ---


@pytest.fixture
def roomless(video_peer: TwilioVideo, alice: User, eve: User, topic: Topic) -> HelpSession:
    """An accepted session for which Twilio made no room, and makes none now."""
    video_peer.refuse_next(status=503, times=2)
    return make_accepted(alice, eve, topic)


@pytest.mark.django_db(transaction=True)
def test_without_a_room_the_call_goes_between_the_browsers_and_the_timeline_says_so(
    roomless: HelpSession, alice: User, eve: User
) -> None:
    pages = {person: page_of(roomless, person) for person in (alice, eve)}
    grants = {person: room.grant(session=roomless, person=person) for person in pages}

    async def journey() -> None:
        for person, page in pages.items():
            assert (await come_in(page, grants[person]))["type"] == "carried_by_peer"
        for page in pages.values():
            await page.close()

    run(journey)
    roomless.refresh_from_db()
    assert roomless.video == Video.PEER
    note = roomless.timeline.get(kind="rerouted").note
    assert note == "no room could be made; the call goes on directly between the two browsers"


@pytest.mark.django_db(transaction=True)
def test_a_service_that_made_no_room_is_not_asked_to_end_it(
    roomless: HelpSession, video_peer: TwilioVideo, alice: User
) -> None:
    """Silent, it would keep a worker for seconds at each try."""
    page, grant = page_of(roomless, alice), room.grant(session=roomless, person=alice)

    async def journey() -> None:
        await come_in(page, grant)
        await page.close()

    run(journey)
    assert video_peer.asked == []  # but for the two questions it refused


@pytest.mark.django_db(transaction=True)
def test_where_only_rooms_are_allowed_who_joins_hears_what_to_do_and_is_not_in(
    roomless: HelpSession, settings: Settings, alice: User, video_peer: TwilioVideo
) -> None:
    settings.VIDEO_FALLBACK = False
    page, grant = page_of(roomless, alice), room.grant(session=roomless, person=alice)

    async def journey() -> None:
        error = await come_in(page, grant)
        assert "The video service does not answer" in error["message"]
        assert "Press “Join call” again" in error["message"]
        # Twilio is back.
        await page.say(type="join", page=page.page, grant=grant)
        assert (await page.hear(*CARRIERS, "error"))["type"] == "carried_by_twilio"
        await page.close()

    run(journey)
    assert not roomless.timeline.filter(kind="rerouted").exists()
    assert Attendance.objects.filter(session=roomless).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_page_that_cannot_reach_its_room_takes_both_to_the_other_way_once(
    session: HelpSession, video_peer: TwilioVideo, alice: User, eve: User
) -> None:
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = {person: room.grant(session=session, person=person) for person in (alice, eve)}

    async def journey() -> None:
        for page, person in ((alices, alice), (eves, eve)):
            assert (await come_in(page, grants[person]))["type"] == "carried_by_twilio"
            await page.hear("welcome")
        await alices.hear("peer_joined")
        await alices.say(type="video_failed", reason="53000")
        for page, other in ((alices, eves), (eves, alices)):
            # Each meets the other anew, whose page may be first: what carried the two before knows nothing of the new way.
            heard = [await page.hear(*CARRIERS, "welcome", "peer_joined") for _ in range(3)]
            (joined,) = [event for event in heard if event["type"] == "peer_joined"]
            carrier, welcome = [event for event in heard if event is not joined]
            assert (carrier["type"], welcome["type"]) == ("carried_by_peer", "welcome")
            assert welcome["peers"] == [joined["page"]] == [str(other.page)]
        # The other side could not either, a moment later.
        await eves.say(type="video_failed", reason="53000")
        assert (await eves.hear(*CARRIERS))["type"] == "carried_by_peer"
        for page in (alices, eves):
            await page.close()

    run(journey)
    session.refresh_from_db()
    assert session.video == Video.PEER
    assert session.room_sid  # where it began, for whoever looks into it
    note = session.timeline.get(kind="rerouted").note
    assert note == "from Alice's side; the call goes on directly between the two browsers"
    assert video_peer.open_rooms() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("says", [{"type": "renew_video"}, {"type": "video_failed", "reason": "53118"}])
def test_a_page_that_never_heard_of_the_other_way_is_taken_there_when_it_asks(
    session: HelpSession, alice: User, eve: User, says: dict[str, str]
) -> None:
    """Whoever rerouted the call was killed before it told anybody, or the word was lost between two processes."""
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = {person: room.grant(session=session, person=person) for person in (alice, eve)}

    async def journey() -> None:
        for page, person in ((alices, alice), (eves, eve)):
            assert (await come_in(page, grants[person]))["type"] == "carried_by_twilio"
            await page.hear("welcome")
        await alices.hear("peer_joined")
        await sync_to_async(HelpSession.objects.update)(video=Video.PEER)
        await alices.say(**says)
        assert (await alices.hear(*CARRIERS))["type"] == "carried_by_peer"
        assert (await alices.hear("welcome"))["peers"] == [str(eves.page)]
        assert (await eves.hear("peer_joined"))["page"] == str(alices.page)
        # From then on it is told of fresh credentials alone.
        await alices.say(type="renew_video")
        assert (await alices.hear(*CARRIERS))["type"] == "carried_by_peer"
        await alices.say(type="chat", id=uuid4(), body="\0")
        assert (await alices.hear("welcome", "chat_refused"))["type"] == "chat_refused"
        for page in (alices, eves):
            await page.close()

    run(journey)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fallback", [True, False])
def test_a_page_whose_room_is_ended_with_the_session_is_not_bothered(
    session: HelpSession, settings: Settings, alice: User, fallback: bool
) -> None:
    """The room may end before the page has heard that the session did."""
    settings.VIDEO_FALLBACK = fallback
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await come_in(page, grant)
        await page.hear("welcome")
        await sync_to_async(cancel.cancel)(session_id=session.pk, customer=alice)
        await page.say(type="video_failed", reason="53118")
        # What is said next is answered next: nothing was said to the other.
        await page.say(type="chat", id=uuid4(), body="\0")
        assert "cannot be kept" in (await page.hear(*CARRIERS, "error", "chat_refused"))["message"]
        await page.close()

    run(journey)
    session.refresh_from_db()
    assert session.video == Video.TWILIO
    assert not session.timeline.filter(kind="rerouted").exists()


@pytest.mark.django_db(transaction=True)
def test_where_only_rooms_are_allowed_a_page_that_cannot_reach_its_room_hears_what_to_do(
    session: HelpSession, settings: Settings, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    settings.VIDEO_FALLBACK = False
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        await come_in(page, grant)
        await page.say(type="video_failed", reason="53000\nforged line")
        assert "cannot reach the video service. Pause the clock" in (await page.hear("error"))["message"]
        await page.close()

    run(journey)
    session.refresh_from_db()
    assert session.video == Video.TWILIO
    assert r"'53000\nforged line'" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_session_accepted_before_the_setting_changed_keeps_its_way(
    session: HelpSession, settings: Settings, alice: User
) -> None:
    settings.VIDEO = "peer"
    page, grant = page_of(session, alice), room.grant(session=session, person=alice)

    async def journey() -> None:
        assert (await come_in(page, grant))["type"] == "carried_by_twilio"
        await page.close()

    run(journey)


def test_a_token_lasts_for_longer_than_a_page_takes_to_use_it() -> None:
    assert timedelta(minutes=10) <= timedelta(seconds=TOKEN_SECONDS) <= timedelta(hours=24)
