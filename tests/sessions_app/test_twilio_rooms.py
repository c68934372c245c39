"""A session's room at Twilio: made once, by whoever comes first, and ended when nobody needs it, whatever fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Topic, User
from sessions_app import accept, cancel, end, release
from sessions_app.models import HelpSession, State, VideoEvent
from sessions_app.sweep import sweep
from sessions_app.video import rooms, service
from sessions_app.video.reconcile import reconcile
from sessions_app.video.service import VideoUnavailable
from sessions_app.video.twilio import TwilioRooms
from tests.peers.twilio_video import CREATE, UPDATE, TwilioVideo
from tests.people import make_accepted, make_active
from tests.writes import watched_writes

OnCommit = DjangoCaptureOnCommitCallbacks


@pytest.fixture(autouse=True)
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are set."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def accepted(video_peer: TwilioVideo, alice: User, eve: User, topic: Topic) -> HelpSession:
    """A session Eve accepted, its room not made yet."""
    return make_accepted(alice, eve, topic)


@pytest.fixture
def with_room(accepted: HelpSession) -> HelpSession:
    """A session Eve accepted, with its room."""
    rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    return accepted


def kinds_told(session: HelpSession) -> list[str]:
    return [event.kind for event in session.video_events.all()]


# --- made ---


@pytest.mark.django_db
def test_accepting_has_a_room_made_for_two(
    video_peer: TwilioVideo, alice: User, eve: User, topic: Topic, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = make_accepted(alice, eve, topic)
    session.refresh_from_db()
    room = video_peer.rooms[session.room_sid]
    assert (room["type"], room["max_participants"], room["record_participants_on_connect"]) == ("group", 2, False)
    assert room["max_participant_duration"] >= 4 * 60 * 60
    assert room["status_callback"] == "http://127.0.0.1:8000/sessions/webhooks/twilio/video/"
    assert str(session.pk) in room["unique_name"]
    assert kinds_told(session) == ["room-created"]


@pytest.mark.django_db
def test_a_call_between_the_browsers_has_no_room(
    video_peer: TwilioVideo,
    settings: Settings,
    alice: User,
    eve: User,
    topic: Topic,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    settings.VIDEO = "peer"
    with django_capture_on_commit_callbacks(execute=True):
        session = make_active(alice, eve, topic, seconds=10)
        end.end(session=session, by=alice)
    assert video_peer.asked == []


@pytest.mark.django_db
@pytest.mark.parametrize(("longest", "at_twilio"), [(60, 960), (30 * 60 * 60, 86400)])
def test_the_longest_session_is_within_what_twilio_takes(
    video_peer: TwilioVideo, settings: Settings, accepted: HelpSession, longest: int, at_twilio: int
) -> None:
    settings.LONGEST_SESSION_SECONDS = longest
    rooms.open_room(accepted.pk)
    assert video_peer.room_named(str(accepted.pk))["max_participant_duration"] == at_twilio


@pytest.mark.django_db
def test_asking_again_makes_no_second_room(video_peer: TwilioVideo, with_room: HelpSession) -> None:
    rooms.open_room(with_room.pk)
    assert list(video_peer.rooms) == [with_room.room_sid]


@pytest.mark.django_db(transaction=True)
def test_many_at_it_make_one_room(video_peer: TwilioVideo, accepted: HelpSession) -> None:
    def make(_: int) -> None:
        try:
            rooms.open_room(accepted.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    accepted.refresh_from_db()
    assert video_peer.open_rooms() == [accepted.room_sid]
    assert list(video_peer.rooms) == [accepted.room_sid]
    assert kinds_told(accepted) == ["room-created"]


@pytest.mark.django_db
def test_the_loser_of_the_race_uses_the_winners_room(video_peer: TwilioVideo, accepted: HelpSession) -> None:
    theirs = service.service().open(rooms.name_of(accepted))
    rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    assert accepted.room_sid == theirs.sid
    assert video_peer.open_rooms() == [theirs.sid]


def down(peer: TwilioVideo) -> None:
    peer.refuse_next(status=503)


def throttled(peer: TwilioVideo) -> None:
    peer.refuse_next(status=429, code=20429)


def silent(peer: TwilioVideo) -> None:
    peer.be_silent("/v1/Rooms")


def loses_its_answer(peer: TwilioVideo) -> None:
    peer.lose_answer("/v1/Rooms")


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [down, throttled, silent, loses_its_answer])
def test_whatever_goes_wrong_the_next_try_makes_the_one_room(
    video_peer: TwilioVideo,
    accepted: HelpSession,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[TwilioVideo], None],
) -> None:
    monkeypatch.setattr(rooms, "service", lambda: TwilioRooms(read_seconds=0.25))
    fault(video_peer)
    with pytest.raises(VideoUnavailable, match="Twilio"):
        rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    assert accepted.room_sid == ""
    rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    assert list(video_peer.rooms) == [accepted.room_sid]


@pytest.mark.django_db
def test_nobody_there_is_said_so(settings: Settings, accepted: HelpSession) -> None:
    settings.TWILIO_VIDEO_BASE = "http://127.0.0.1:9"
    with pytest.raises(VideoUnavailable, match="Twilio does not answer"):
        rooms.open_room(accepted.pk)


@pytest.mark.django_db
def test_an_answer_nobody_can_read_is_said_so(video_peer: TwilioVideo, accepted: HelpSession) -> None:
    video_peer.fail("/v1/Rooms", 201, b"<html>Welcome</html>")
    with pytest.raises(VideoUnavailable, match="could not be read"):
        rooms.open_room(accepted.pk)


# --- killed while it is made ---


class Killed(BaseException):
    """The process is gone: nothing of ours catches it."""


@contextmanager
def killed_before(write: str) -> Iterator[None]:
    """Die before the first such write, such as "UPDATE sessions_app_helpsession"; what was done before it stays."""

    def die(kind: str, table: str) -> None:
        if f"{kind} {table}" == write:
            raise Killed

    with watched_writes(before=die, after=lambda kind, table: None), pytest.raises(Killed):
        yield


WRITES = ["UPDATE sessions_app_helpsession", "INSERT INTO sessions_app_videoevent"]


@pytest.mark.django_db
@pytest.mark.parametrize("write", WRITES)
def test_whoever_makes_it_after_one_who_was_killed_finds_the_same_room(
    video_peer: TwilioVideo, accepted: HelpSession, write: str
) -> None:
    with killed_before(write):
        rooms.open_room(accepted.pk)
    rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    assert video_peer.open_rooms() == list(video_peer.rooms) == [accepted.room_sid]


@pytest.mark.django_db
@pytest.mark.parametrize("write", WRITES)
def test_the_night_ends_the_room_of_one_who_was_killed(
    video_peer: TwilioVideo, accepted: HelpSession, alice: User, write: str
) -> None:
    with killed_before(write):
        rooms.open_room(accepted.pk)
    cancel.cancel(session_id=accepted.pk, customer=alice)
    now = timezone.now() + timedelta(hours=1)
    reconcile(since=now - timedelta(days=1), now=now)
    assert video_peer.open_rooms() == []


# --- ended ---


@pytest.mark.django_db
def test_the_end_ends_the_room(
    video_peer: TwilioVideo, alice: User, eve: User, topic: Topic, django_capture_on_commit_callbacks: OnCommit
) -> None:
    session = make_active(alice, eve, topic, seconds=200)
    rooms.open_room(session.pk)
    with django_capture_on_commit_callbacks(execute=True):
        end.end(session=session, by=alice)
    assert video_peer.open_rooms() == []
    assert kinds_told(session) == ["room-created", "room-ended"]


@pytest.mark.django_db
def test_cancelling_ends_the_room(
    video_peer: TwilioVideo, with_room: HelpSession, alice: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        cancel.cancel(session_id=with_room.pk, customer=alice)
    assert video_peer.open_rooms() == []


@pytest.mark.django_db
def test_a_request_given_back_and_accepted_anew_has_another_room(
    video_peer: TwilioVideo,
    with_room: HelpSession,
    eve: User,
    erin: User,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    old = with_room.room_sid
    with django_capture_on_commit_callbacks(execute=True):
        release.release(session_id=with_room.pk, expert=eve)
    assert video_peer.open_rooms() == []
    with django_capture_on_commit_callbacks(execute=True):
        accept.accept(session_id=with_room.pk, expert=erin)
    with_room.refresh_from_db()
    assert with_room.room_sid not in ("", old)
    assert video_peer.open_rooms() == [with_room.room_sid]


@pytest.mark.django_db
def test_a_room_made_too_late_is_ended_by_who_made_it(
    video_peer: TwilioVideo, accepted: HelpSession, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer cancels while Twilio makes the room."""

    class Slow(TwilioRooms):
        def open(self, name: str) -> service.Room:
            room = super().open(name)
            cancel.cancel(session_id=accepted.pk, customer=alice)
            return room

    monkeypatch.setattr(rooms, "service", Slow)
    rooms.open_room(accepted.pk)
    accepted.refresh_from_db()
    assert (accepted.room_sid, video_peer.open_rooms()) == ("", [])
    assert kinds_told(accepted) == ["room-created", "room-ended"]


@pytest.mark.django_db
def test_ending_what_is_over_or_never_was_does_nothing(video_peer: TwilioVideo, with_room: HelpSession) -> None:
    name = rooms.name_of(with_room)
    for _ in range(2):
        rooms.close_room(name)
        rooms.close_room(with_room.room_sid)
    rooms.close_room("nobodys-room")
    assert kinds_told(with_room) == ["room-created", "room-ended"]


# --- what a lost job leaves behind ---


def lose_the_jobs(session: HelpSession) -> None:
    """End the session as if the worker had died with the job, a while ago."""
    HelpSession.objects.filter(pk=session.pk).update(state=State.CANCELLED, ended_at=timezone.now())
    VideoEvent.objects.update(received_at=timezone.now() - timedelta(minutes=2))


@pytest.mark.django_db
def test_the_sweep_ends_rooms_that_were_left(video_peer: TwilioVideo, with_room: HelpSession) -> None:
    VideoEvent.objects.update(received_at=timezone.now() - timedelta(minutes=2))
    sweep(now=timezone.now())
    assert video_peer.open_rooms() == [with_room.room_sid]  # in use
    lose_the_jobs(with_room)
    video_peer.refuse_next(status=503)
    sweep(now=timezone.now())
    assert video_peer.open_rooms() == [with_room.room_sid]  # Twilio was down
    sweep(now=timezone.now())
    assert video_peer.open_rooms() == []


@pytest.mark.django_db
def test_the_sweep_asks_of_each_room_once(video_peer: TwilioVideo, with_room: HelpSession) -> None:
    lose_the_jobs(with_room)
    video_peer.end_room(with_room.room_sid)  # by itself, and its callback was lost
    for _ in range(2):
        sweep(now=timezone.now())
    assert [asked.operation for asked in video_peer.asked] == [CREATE, UPDATE]
    assert kinds_told(with_room) == ["room-created", "room-ended"]


@pytest.mark.django_db
def test_a_room_that_was_just_made_is_left_alone(video_peer: TwilioVideo, accepted: HelpSession) -> None:
    """Its maker is about to write down whose it is."""
    made = service.service().open(rooms.name_of(accepted))
    VideoEvent.objects.create(
        session=accepted, key="k", room_sid=made.sid, kind="room-created", at=timezone.now(), fields={}
    )
    sweep(now=timezone.now())
    assert video_peer.open_rooms() == [made.sid]
