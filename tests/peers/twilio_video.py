"""Twilio Video for the tests: rooms and who was in them, over the real SDK, driven by Twilio's own OpenAPI description.

People come and go when a test says so (no media: that is the browser's side). What Twilio would call us back with is written
down, signed, in the order in which it happened; the test sends it late, twice, backwards or not at all.
"""

import functools
import json
import random
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from tests.peers.openapi import Checked, Spec, SpecError
from tests.peers.twilio_api import (
    ACCOUNT,
    JSON,
    SPECS,
    TOKEN,
    Call,
    TwilioApi,
    check_address,
    check_range,
    error,
    error_of,
    read_spec,
)

SPEC_FILE = SPECS / "twilio_video_v1.json"
KEY, SECRET = f"SK{'0' * 32}", "secret-of-the-stand-in".ljust(32, "0")

CREATE, FETCH, UPDATE = "POST /v1/Rooms", "GET /v1/Rooms/{Sid}", "POST /v1/Rooms/{Sid}"

ROOM_EXISTS, NOT_FOUND = 53113, 20404


@functools.cache
def load_spec() -> Spec:
    """Return Twilio's description of its video API. Raises FileNotFoundError when `ensure_peers` did not run."""
    return read_spec(SPEC_FILE)


class TwilioVideo(TwilioApi):
    """Twilio Video."""

    def __init__(self) -> None:
        """Listen at once."""
        super().__init__(load_spec())

    def reset_books(self) -> None:
        """Forget the rooms and what was wrong."""
        super().reset_books()
        self._room_ended = threading.Condition(self.books)
        self.rooms: dict[str, JSON] = {}
        """The rooms, by SID, as its API shows them, oldest first."""
        self.people: dict[str, list[JSON]] = {}
        """Who was in each room, by its SID, as its API shows them: one entry a connection."""
        self.calls: list[Call] = []
        """What Twilio has to tell us, in the order in which it happened. Nothing goes out by itself."""

    @property
    def settings(self) -> dict[str, str]:
        """What Hopps needs to use it, as settings and as environment."""
        return {
            "VIDEO": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_KEY_SID": KEY,
            "TWILIO_API_KEY_SECRET": SECRET,
            "TWILIO_VIDEO_BASE": self.url,
        }

    def refuse_next(self, words: str = "/v1/Rooms", *, status: int, code: int = 20500, times: int = 1) -> None:
        """Answer the next requests that have `words` with an error, doing nothing."""
        self.fail(words, status, error(status, code, "Internal error"), times=times)

    # --- what happens in rooms --------------------------------------------------------------------------------------------

    def room_named(self, part: str) -> JSON:
        """Return the newest room that has `part` in its unique name. Raises IndexError where there is none."""
        with self.books:
            return [room for room in self.rooms.values() if part in room["unique_name"]][-1]

    def open_rooms(self) -> list[str]:
        """Return the SIDs of the rooms that are not over."""
        with self.books:
            return [sid for sid, room in self.rooms.items() if room["status"] == "in-progress"]

    def connect(self, room_sid: str, identity: str | UUID, *, at: datetime | None = None) -> str:
        """Let somebody come in at `at` (None: now); return the connection's SID.

        As at Twilio, who comes a second time ends their first connection.
        """
        at = at or timezone.now()
        with self.books:
            for earlier in self.people[room_sid]:
                if earlier["identity"] == str(identity) and earlier["status"] == "connected":
                    self.disconnect(earlier["sid"], at=at)
            sid = f"PA{uuid4().hex}"
            url = f"{self.rooms[room_sid]['url']}/Participants/{sid}"
            person = {
                "sid": sid, "room_sid": room_sid, "account_sid": ACCOUNT, "identity": str(identity), "status": "connected",
                "date_created": _text(at), "date_updated": _text(at), "start_time": _text(at), "end_time": None,
                "duration": None, "url": url, "links": {"published_tracks": f"{url}/PublishedTracks"},
            }  # fmt: skip
            self.people[room_sid].append(person)
            self._happened("participant-connected", self.rooms[room_sid], at, person)
        return sid

    def disconnect(self, sid: str, *, at: datetime | None = None) -> None:
        """Let the connection `sid` end at `at` (None: now)."""
        at = at or timezone.now()
        with self.books:
            person = next(person for people in self.people.values() for person in people if person["sid"] == sid)
            seconds = int((at - datetime.fromisoformat(person["start_time"])).total_seconds())
            person.update(status="disconnected", end_time=_text(at), date_updated=_text(at), duration=seconds)
            self._happened("participant-disconnected", self.rooms[person["room_sid"]], at, person)

    def end_room(self, room_sid: str, *, at: datetime | None = None) -> None:
        """End a room at `at` (None: now), whoever is in it."""
        at = at or timezone.now()
        with self.books:
            room = self.rooms[room_sid]
            for person in self.people[room_sid]:
                if person["status"] == "connected":
                    self.disconnect(person["sid"], at=at)
            seconds = int((at - datetime.fromisoformat(room["date_created"])).total_seconds())
            room.update(status="completed", end_time=_text(at), date_updated=_text(at), duration=seconds)
            self._happened("room-ended", room, at)
            self._room_ended.notify_all()

    def wait_until_over(self, room_sid: str, *, seconds: float = 30.0) -> None:
        """Wait until somebody ended a room. Raises TimeoutError."""
        with self._room_ended:
            if not self._room_ended.wait_for(lambda: self.rooms[room_sid]["status"] == "completed", seconds):
                raise TimeoutError(f"{room_sid} is still open.")

    def _happened(self, event: str, room: JSON, at: datetime, person: JSON | None = None) -> None:
        if not room["status_callback"]:
            return
        fields = {
            "AccountSid": ACCOUNT, "RoomSid": room["sid"], "RoomName": room["unique_name"], "RoomType": room["type"],
            "RoomStatus": room["status"], "StatusCallbackEvent": event, "Timestamp": _text(at, exactly=True),
            # Twilio's numbers do not tell the true order, so nobody must think so.
            "SequenceNumber": str(random.randrange(1000)),
        }  # fmt: skip
        if person is not None:
            fields |= {
                "ParticipantSid": person["sid"],
                "ParticipantIdentity": person["identity"],
                "ParticipantStatus": person["status"],
            }
            if person["duration"] is not None:
                fields["ParticipantDuration"] = str(person["duration"])
        elif room["duration"] is not None:
            fields["RoomDuration"] = str(room["duration"])
        self.calls.append(self.signed(room["status_callback"], fields))

    def call_back(self, calls: Iterable[Call] | None = None) -> set[int]:
        """Send what Twilio has to tell, or `calls` in their order; return the statuses of the answers."""
        return {self.deliver(*call) for call in (list(self.calls) if calls is None else calls)}

    # --- the API -----------------------------------------------------------------------------------------------------------

    def do(self, checked: Checked) -> tuple[int, JSON]:
        """See `TwilioApi.do`."""
        match checked.operation:
            case "POST /v1/Rooms":
                return self._create(checked.body)
            case "GET /v1/Rooms":
                wanted = checked.query.get("Status", "in-progress")
                name = checked.query.get("UniqueName")
                rooms = [r for r in self.rooms.values() if r["status"] == wanted and name in (None, r["unique_name"])]
                return 200, self._page("rooms", "/v1/Rooms", rooms, checked.query)
            case "GET /v1/Rooms/{Sid}":
                room = self._find(checked.names["Sid"])
                return (200, room) if room is not None else _not_found()
            case "POST /v1/Rooms/{Sid}":
                return self._complete(self._find(checked.names["Sid"]))
            case "GET /v1/Rooms/{RoomSid}/Participants":
                return self._participants(self._find(checked.names["RoomSid"]), checked.query)
        raise SpecError(f"{checked.operation}: the stand-in does not play this one.")

    def check_values(self, checked: Checked) -> None:
        """See `TwilioApi.check_values`."""
        body = checked.body
        if checked.operation == CREATE:
            check_address("StatusCallback", body.get("StatusCallback"))
            check_range(body, "MaxParticipants", 1, 50, "people")
            check_range(body, "MaxParticipantDuration", 600, 86400, "seconds")
            check_range(body, "EmptyRoomTimeout", 1, 60, "minutes")
            check_range(body, "UnusedRoomTimeout", 1, 60, "minutes")
        elif checked.operation == UPDATE and body["Status"] != "completed":
            raise SpecError("Status takes 'completed' alone: nobody opens a room again.")

    def _find(self, name_or_sid: str) -> JSON | None:
        """Find a room by its SID, or by its name while it is not over."""
        by_name = (room for room in self.rooms.values() if room["unique_name"] == name_or_sid)
        return self.rooms.get(name_or_sid) or next((room for room in by_name if room["status"] == "in-progress"), None)

    def _create(self, body: JSON) -> tuple[int, JSON]:
        sid, now = f"RM{uuid4().hex}", timezone.now()
        name = body.get("UniqueName") or sid
        if self._find(name) is not None:
            return 400, error_of(400, ROOM_EXISTS, "Room exists")
        url = f"https://video.twilio.com/v1/Rooms/{sid}"
        room = {
            "sid": sid, "unique_name": name, "account_sid": ACCOUNT, "status": "in-progress",
            "type": body.get("Type", "group"), "date_created": _text(now), "date_updated": _text(now),
            "end_time": None, "duration": None, "enable_turn": True, "status_callback": body.get("StatusCallback"),
            "status_callback_method": body.get("StatusCallbackMethod", "POST"),
            "max_participants": body.get("MaxParticipants", 50), "max_concurrent_published_tracks": 170,
            "max_participant_duration": body.get("MaxParticipantDuration", 14400),
            "record_participants_on_connect": body.get("RecordParticipantsOnConnect", False), "video_codecs": ["VP8"],
            "media_region": "us1", "audio_only": False, "large_room": False,
            "empty_room_timeout": body.get("EmptyRoomTimeout", 5), "unused_room_timeout": body.get("UnusedRoomTimeout", 5),
            "url": url, "links": {"participants": f"{url}/Participants"},
        }  # fmt: skip
        self.rooms[sid], self.people[sid] = room, []
        self._happened("room-created", room, now)
        return 201, room

    def _complete(self, room: JSON | None) -> tuple[int, JSON]:
        if room is None or room["status"] != "in-progress":
            return _not_found()
        self.end_room(room["sid"])
        return 202, room

    def _participants(self, room: JSON | None, query: JSON) -> tuple[int, JSON]:
        if room is None:
            return _not_found()
        wanted = query.get("Status", "connected") if room["status"] == "in-progress" else "disconnected"
        people = [person for person in self.people[room["sid"]] if person["status"] == wanted]
        return 200, self._page("participants", f"/v1/Rooms/{room['sid']}/Participants", people, query)

    def _page(self, key: str, path: str, items: list[JSON], query: JSON) -> JSON:
        size, number = query.get("PageSize", 50), query.get("Page", 0)

        def address(page: int) -> str:
            kept = {name: value for name, value in query.items() if name not in ("PageSize", "Page", "PageToken")}
            return f"{self.url}{path}?" + "&".join(f"{n}={v}" for n, v in {**kept, "PageSize": size, "Page": page}.items())

        more = len(items) > size * (number + 1)
        meta: dict[str, Any] = {
            "key": key, "page": number, "page_size": size, "url": address(number), "first_page_url": address(0),
            "previous_page_url": address(number - 1) if number else None,
            "next_page_url": address(number + 1) if more else None,
        }  # fmt: skip
        return {key: json.loads(json.dumps(items[size * number : size * (number + 1)])), "meta": meta}


def _not_found() -> tuple[int, JSON]:
    return 404, error_of(404, NOT_FOUND, "The requested resource was not found")


def _text(at: datetime, *, exactly: bool = False) -> str:
    """Write a moment as Twilio's API does, to the second; as its callbacks do, `exactly`."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if exactly else f"{at:%Y-%m-%dT%H:%M:%S}Z"


def shifted(call: Call, by: timedelta, peer: TwilioVideo) -> Call:
    """Return the same callback with a time that is off by `by`, signed."""
    url, fields, _ = call
    at = datetime.fromisoformat(fields["Timestamp"]) + by
    return peer.signed(url, {**fields, "Timestamp": _text(at, exactly=True)})
