"""Rooms at Twilio Video: made and ended over its REST API, and entered with tokens of ours."""

import math
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VideoGrant

from hopps.http import public_url
from hopps.twilio import ANSWERED, as_answered, make_client, sentence_of
from sessions_app.video.service import Connection, Room, VideoUnavailable

T = TypeVar("T")

# Somebody who joins waits for it where the job of accepting could not make the room.
CONNECT_SECONDS, READ_SECONDS = 1.5, 4.0
# How long a token lets a page connect. A call that is under way outlives it; a page asks for the next one before.
TOKEN_SECONDS = 60 * 60
# One more than customer and expert could only be a stranger.
PEOPLE = 2
# Twilio ends a room by itself when nobody came for so long, or all have left for so long (in minutes, 60 at most). We end
# it sooner; this is for the day on which we cannot.
SPARE_MINUTES = 5
# Twilio lets nobody be connected for longer than what is set (600 to 86400 s). Who waits for the other waits in it, too.
SPARE_SECONDS = 15 * 60

# Twilio's codes: the name is taken; there is no such room, or none any more.
ROOM_EXISTS = (53113,)
NO_ROOM = (20404, 53106, 53118)


class TwilioRooms:
    """Rooms at Twilio."""

    def __init__(self, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS) -> None:
        """Describe it.

        Args:
            connect_seconds: how long a connection may take.
            read_seconds: how long an answer may take.
        """
        client = make_client(connect_seconds=connect_seconds, read_seconds=read_seconds)
        self._rooms = client.video.v1.rooms

    def open(self, name: str) -> Room:
        """See `VideoService.open`."""
        room = _asked(lambda: self._make(name), but=ROOM_EXISTS)
        if room is None:
            # Another process made it, or we did and the answer was lost.
            room = _asked(lambda: self._rooms(name).fetch(), but=NO_ROOM)
        if room is None:
            raise VideoUnavailable(f"Twilio had a room called {name} a moment ago, and has none now.")
        return _room(room)

    def _make(self, name: str) -> Any:
        apart = max(settings.EXPERT_JOIN_SECONDS, settings.ABSENCE_ENDS_SECONDS)
        minutes = min(60, math.ceil(apart / 60) + SPARE_MINUTES)
        return self._rooms.create(
            unique_name=name,
            type="group",
            max_participants=PEOPLE,
            max_participant_duration=min(86400, max(600, settings.LONGEST_SESSION_SECONDS + SPARE_SECONDS)),
            empty_room_timeout=minutes,
            unused_room_timeout=minutes,
            # Said here, so that no setting of the account records what people were told is not recorded.
            record_participants_on_connect=False,
            status_callback=public_url(reverse("twilio_video_webhook")),
            status_callback_method="POST",
        )

    def close(self, name_or_sid: str) -> Room | None:
        """See `VideoService.close`."""
        room = _asked(lambda: self._rooms(name_or_sid).update(status="completed"), but=NO_ROOM)
        return _room(room) if room is not None else None

    def open_rooms(self) -> list[Room]:
        """See `VideoService.open_rooms`."""
        rooms = _asked(lambda: self._rooms.list(status="in-progress", page_size=1000))
        return [_room(room) for room in rooms or ()]

    def connections(self, room_sid: str) -> list[Connection] | None:
        """See `VideoService.connections`."""
        people = _asked(lambda: self._rooms(room_sid).participants.list(status="disconnected"), but=NO_ROOM)
        if people is None:
            return None
        return [
            Connection(str(one.sid), str(one.identity), _moment(one.start_time), _moment_or_none(one.end_time))
            for one in people
        ]


def token_for(*, room_sid: str, person_id: UUID) -> str:
    """Return a token that lets one person connect to one room, for TOKEN_SECONDS from now."""
    token = AccessToken(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_API_KEY_SID,
        settings.TWILIO_API_KEY_SECRET,
        identity=str(person_id),
        ttl=TOKEN_SECONDS,
        # No "not before": Twilio would refuse what comes from a server whose clock is a second ahead of its own.
        nbf=None,
    )
    token.add_grant(VideoGrant(room=room_sid))
    return str(token.to_jwt())


def _asked(ask: Callable[[], T], *, but: Collection[int] = ()) -> T | None:
    """Ask, and return what Twilio answered; None where that is an error of the codes `but`. Raises VideoUnavailable."""
    try:
        return ask()
    except TwilioException as problem:
        answered: Any = as_answered(problem)
        if not isinstance(answered, ANSWERED):
            raise VideoUnavailable(f"Twilio's answer could not be read: {problem}") from problem
        if answered.code in but:
            return None
        raise VideoUnavailable(sentence_of(answered)) from problem
    except RequestException as problem:
        raise VideoUnavailable(f"Twilio does not answer: {problem}") from problem
    except ValueError as problem:
        raise VideoUnavailable(f"Twilio's answer could not be read: {problem}") from problem


def _room(room: Any) -> Room:
    return Room(str(room.sid), str(room.unique_name), _moment(room.date_created), _moment_or_none(room.end_time))


def _moment(given: object) -> datetime:
    found = _moment_or_none(given)
    if found is None:
        raise VideoUnavailable(f"Twilio's answer could not be read: no time but {given!r}.")
    return found


def _moment_or_none(given: object) -> datetime | None:
    """Read a time: the SDK leaves those that are more exact than a second as texts."""
    return parse_datetime(given) if isinstance(given, str) else given if isinstance(given, datetime) else None
