"""What the video service told of a room, kept as it came: by callbacks, in its answers, or when the night asked again.

It is evidence, and never a reason to bill (decision 0011). Told twice, by whichever way, it is kept once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from sessions_app.models import HelpSession, VideoEvent
from sessions_app.video.service import Connection, Room

# The kinds we keep, as Twilio calls them. It tells of tracks too, with every mute: that proves nothing to anybody.
ROOM_OPENED, ROOM_ENDED = "room-created", "room-ended"
CONNECTED, DISCONNECTED = "participant-connected", "participant-disconnected"
KINDS = frozenset({ROOM_OPENED, ROOM_ENDED, CONNECTED, DISCONNECTED})


def keep(
    *,
    session: HelpSession,
    room_sid: str,
    kind: str,
    at: datetime,
    fields: Mapping[str, Any],
    connection: str = "",
    identity: str = "",
) -> bool:
    """Write one event down; return whether it is news.

    Args:
        room_sid: the room's.
        kind: one of KINDS. Each happens once in a room's life, or once in a connection's: that makes the key.
        at: when, UTC, by the service's clock.
        fields: all it said.
        connection: whose beginning or end it is, by the service's name; empty for the room's own.
        identity: the person's id, as it stood in the token.
    """
    key = _key(room_sid, kind, connection)
    if VideoEvent.objects.filter(key=key).exists():
        return False
    person = _person(identity)
    try:
        with transaction.atomic():
            VideoEvent.objects.create(
                session=session, key=key, room_sid=room_sid, kind=kind, at=at, person=person, fields=dict(fields)
            )
    except IntegrityError:
        return False  # the same was told a moment ago
    return True


def room_opened(session: HelpSession, room: Room) -> None:
    """Write down that a room was made for `session`."""
    keep(session=session, room_sid=room.sid, kind=ROOM_OPENED, at=room.opened_at, fields={"name": room.name})


def room_ended(session: HelpSession, room_sid: str, *, at: datetime) -> None:
    """Write down that a room is over since `at` (UTC)."""
    keep(session=session, room_sid=room_sid, kind=ROOM_ENDED, at=at, fields={})


def connection_was(session: HelpSession, room_sid: str, connection: Connection) -> None:
    """Write down from when to when somebody was connected, as far as it is news."""
    for kind, at in _moments(connection):
        keep(
            session=session,
            room_sid=room_sid,
            kind=kind,
            at=at,
            fields={},
            connection=connection.sid,
            identity=connection.identity,
        )


def untold(room_sid: str, connections: Iterable[Connection]) -> int:
    """Return how many beginnings and ends of `connections` nobody told us of."""
    keys = {_key(room_sid, kind, one.sid) for one in connections for kind, _ in _moments(one)}
    return len(keys) - VideoEvent.objects.filter(key__in=keys).count()


def _moments(connection: Connection) -> list[tuple[str, datetime]]:
    moments = ((CONNECTED, connection.start), (DISCONNECTED, connection.end))
    return [(kind, at) for kind, at in moments if at is not None]


def _key(room_sid: str, kind: str, connection: str) -> str:
    return hashlib.sha256("|".join((room_sid, kind, connection)).encode()).hexdigest()


def _person(identity: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(identity)).first()
    except ValueError:
        return None
