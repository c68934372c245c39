"""The stand-in for Twilio Video allows what Twilio's own description allows, and tells of what happened as Twilio does."""

from datetime import timedelta

import pytest
from django.utils import timezone
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.peers.openapi_answers import check_answer
from tests.peers.twilio_api import ACCOUNT, TOKEN
from tests.peers.twilio_video import FETCH, TwilioVideo, load_spec

BACK = "http://127.0.0.1:8000/back/"
REFUSED = (TwilioRestException, TwilioServiceException)


@pytest.fixture
def client(video_peer: TwilioVideo) -> Client:
    """The real SDK, talking to the stand-in."""
    client = Client(ACCOUNT, TOKEN)
    client.video.base_url = video_peer.url
    return client


def make(client: Client, name: str = "one") -> str:
    """Make a room; return its SID."""
    room = client.video.v1.rooms.create(unique_name=name, type="group", status_callback=BACK, max_participants=2)
    return str(room.sid)


def test_a_room_is_made_found_by_either_name_and_ended(client: Client) -> None:
    sid = make(client)
    rooms = client.video.v1.rooms
    assert {rooms("one").fetch().sid, rooms(sid).fetch().sid, *(room.sid for room in rooms.list(unique_name="one"))} == {sid}
    assert rooms(sid).update(status="completed").status == "completed"
    assert rooms.list() == []
    assert [room.sid for room in rooms.list(status="completed")] == [sid]
    with pytest.raises(REFUSED) as refused:
        rooms("one").fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_name_is_unique_among_rooms_that_are_not_over(client: Client) -> None:
    sid = make(client)
    with pytest.raises(REFUSED) as refused:
        make(client)
    assert refused.value.code == 53113
    client.video.v1.rooms(sid).update(status="completed")
    assert make(client) != sid


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"type": "party"}, "Type takes one of"),
        ({"max_participants": 51}, "MaxParticipants takes 1 to 50 people"),
        ({"empty_room_timeout": 61}, "EmptyRoomTimeout takes 1 to 60 minutes"),
        ({"max_participant_duration": 30}, "MaxParticipantDuration takes 600 to 86400 seconds"),
        ({"status_callback": "back"}, "StatusCallback takes an address"),
    ],
)
def test_what_twilio_does_not_take_is_a_violation(
    client: Client, video_peer: TwilioVideo, given: dict[str, object], sentence: str
) -> None:
    with pytest.raises(REFUSED, match=sentence):
        client.video.v1.rooms.create(**{"unique_name": "one", "status_callback": BACK, **given})
    assert any(sentence in violation for violation in video_peer.violations)
    video_peer.reset()


def test_who_was_in_a_room_is_listed_and_told(client: Client, video_peer: TwilioVideo) -> None:
    sid, start = make(client), timezone.now()
    first = video_peer.connect(sid, "ada", at=start)
    video_peer.connect(sid, "ada", at=start + timedelta(seconds=60))  # from another tab
    in_it = client.video.v1.rooms(sid).participants
    assert [person.status for person in in_it.list()] == ["connected"]
    assert [(person.sid, person.duration) for person in in_it.list(status="disconnected")] == [(first, 60)]
    video_peer.end_room(sid, at=start + timedelta(seconds=90))
    assert [person.duration for person in in_it.list()] == [60, 30]
    events = [fields["StatusCallbackEvent"] for _, fields, _ in video_peer.calls]
    came, went = "participant-connected", "participant-disconnected"
    assert events == ["room-created", came, went, came, went, "room-ended"]
    for url, fields, signature in video_peer.calls:
        assert RequestValidator(TOKEN).validate(url, fields, signature)


def test_long_lists_come_in_pages(client: Client) -> None:
    made = {make(client, f"room {number}") for number in range(5)}
    assert {room.sid for room in client.video.v1.rooms.list(page_size=2)} == made


def test_an_answer_of_its_own_making_is_found(client: Client, video_peer: TwilioVideo) -> None:
    room = video_peer.rooms[make(client)]
    check_answer(load_spec(), FETCH, room)
    with pytest.raises(Exception, match="a field Twilio does not have"):
        check_answer(load_spec(), FETCH, {**room, "price": "1"})
