"""What Twilio calls us with: signed or refused, kept once, in the order of its clock, and evidence only."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Topic, User
from billing.evidence import evidence_for
from billing.models import Payment
from sessions_app.models import HelpSession, VideoEvent
from sessions_app.video import rooms
from tests.peers.twilio_api import Call
from tests.peers.twilio_video import TwilioVideo, shifted
from tests.people import make_active

pytestmark = pytest.mark.django_db

ADDRESS = "/sessions/webhooks/twilio/video/"
CALLED = ["room-created", "participant-connected", "participant-connected", "participant-disconnected"]
Post = Callable[[Call], int]


@pytest.fixture
def post() -> Post:
    """Post what Twilio calls us with, as it does: without a CSRF token. Returns the status."""

    def post(call: Call) -> int:
        _, fields, signature = call
        answer = Client(enforce_csrf_checks=True).post(ADDRESS, fields, headers={"X-Twilio-Signature": signature})
        return answer.status_code

    return post


@pytest.fixture
def session(video_peer: TwilioVideo, alice: User, eve: User, topic: Topic) -> HelpSession:
    """A running session in a room; Twilio saw Eve come, Alice come, and Alice go."""
    session = make_active(alice, eve, topic, seconds=100)
    rooms.open_room(session.pk)
    VideoEvent.objects.all().delete()  # as if our word of the room were lost
    session.refresh_from_db()
    now = timezone.now()
    video_peer.connect(session.room_sid, eve.pk, at=now - timedelta(seconds=95))
    alices = video_peer.connect(session.room_sid, alice.pk, at=now - timedelta(seconds=90))
    video_peer.disconnect(alices, at=now - timedelta(seconds=5))
    return session


def told(session: HelpSession) -> list[str]:
    """Return the kinds of what was told, by Twilio's clock."""
    kinds = list(session.video_events.values_list("kind", flat=True))
    # The room was made just now, and its people came before: the tests' own doing.
    return [*(kind for kind in kinds if kind == "room-created"), *(kind for kind in kinds if kind != "room-created")]


def test_the_address_is_the_one_twilio_is_given(video_peer: TwilioVideo, session: HelpSession) -> None:
    assert reverse("twilio_video_webhook") == ADDRESS
    assert video_peer.calls[0][0].endswith(ADDRESS)


def test_what_is_told_is_kept_with_who_and_when(
    video_peer: TwilioVideo, session: HelpSession, post: Post, alice: User
) -> None:
    assert {post(call) for call in video_peer.calls} == {204}
    assert told(session) == CALLED
    gone = session.video_events.get(kind="participant-disconnected")
    assert (gone.person, gone.room_sid, gone.fields["ParticipantDuration"]) == (alice, session.room_sid, "85")
    assert abs((timezone.now() - gone.at).total_seconds() - 5) < 3


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_late_twice_and_in_any_order_it_is_the_same(
    video_peer: TwilioVideo, session: HelpSession, post: Post, order: tuple[int, ...]
) -> None:
    calls = [video_peer.calls[number] for number in order]
    assert {post(call) for call in [*calls, *calls]} == {204}
    assert told(session) == CALLED
    assert session.video_events.count() == 4


def test_the_same_told_with_another_number_and_time_is_kept_once(
    video_peer: TwilioVideo, session: HelpSession, post: Post
) -> None:
    call = video_peer.calls[-1]
    assert post(call) == 204
    assert post(shifted(call, timedelta(milliseconds=200), video_peer)) == 204
    assert session.video_events.count() == 1


def test_a_callback_nobody_signed_is_refused(video_peer: TwilioVideo, session: HelpSession, post: Post) -> None:
    url, fields, signature = video_peer.calls[-1]
    forged = [
        (url, fields, "nonsense"),
        (url, fields, ""),
        (url, {**fields, "ParticipantDuration": "9999"}, signature),
        video_peer.signed("http://elsewhere.example/", fields),
    ]
    assert [post(call) for call in forged] == [403] * 4
    assert not VideoEvent.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"Timestamp": ""},
        {"Timestamp": "yesterday"},
        {"Timestamp": "2026-02-30T10:00:00Z"},
        {"Timestamp": "2026-02-03T10:00:00"},
        {"RoomSid": "RM1"},
        {"RoomSid": ""},
        {"ParticipantSid": "PA" + "z" * 32},
        {"ParticipantDuration": "1\0"},
    ],
)
def test_a_signed_callback_that_makes_no_sense_is_refused_in_a_sentence(
    video_peer: TwilioVideo, session: HelpSession, post: Post, changes: dict[str, str]
) -> None:
    url, fields, _ = video_peer.calls[-1]
    assert post(video_peer.signed(url, {**fields, **changes})) == 400
    assert not VideoEvent.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"StatusCallbackEvent": "track-disabled"},
        {"StatusCallbackEvent": ""},
        {"RoomName": "somebody else's"},
        {"RoomName": "6f1c1d2e-0000-4000-8000-000000000000_20260101T000000000"},
    ],
)
def test_what_is_none_of_our_business_is_passed_over(
    video_peer: TwilioVideo, session: HelpSession, post: Post, changes: dict[str, str]
) -> None:
    url, fields, _ = video_peer.calls[-1]
    assert post(video_peer.signed(url, {**fields, **changes})) == 204
    assert not VideoEvent.objects.exists()


@pytest.mark.parametrize("identity", ["nobody", "6f1c1d2e-0000-4000-8000-000000000000", ""])
def test_who_is_not_known_is_kept_without_a_person(
    video_peer: TwilioVideo, session: HelpSession, post: Post, identity: str
) -> None:
    url, fields, _ = video_peer.calls[-1]
    assert post(video_peer.signed(url, {**fields, "ParticipantIdentity": identity})) == 204
    assert session.video_events.get().person is None


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"RoomSid": "RM1"}', 403),
        ("application/x-www-form-urlencoded", b"\xff=%00&&=", 403),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 403),
        ("multipart/form-data", b"", 403),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(2000)), 400),
    ],
)
def test_what_is_no_form_at_all_is_refused(video_peer: TwilioVideo, kind: str, body: bytes, status: int) -> None:
    answer = Client().post(ADDRESS, body, content_type=kind, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code == status


def test_without_a_token_of_ours_nobody_could_have_signed(
    video_peer: TwilioVideo, session: HelpSession, post: Post, settings: Settings
) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    assert post(video_peer.calls[-1]) == 404


def test_operators_who_answer_a_report_see_what_twilio_told(
    video_peer: TwilioVideo, session: HelpSession, post: Post
) -> None:
    for call in video_peer.calls:
        post(call)
    lines = [f"{line.who}: {line.what}" for line in evidence_for(Payment.objects.get(reference=session.pk))]
    assert f"Twilio: Made room {session.room_sid} for the call." in lines
    assert "Eve (expert): Was connected to the room, by Twilio's clock." in lines
    assert "Alice (customer): Was no longer connected to the room, by Twilio's clock." in lines
