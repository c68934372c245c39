"""What Twilio calls us with about a room, read and kept."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware

from sessions_app.video import told
from sessions_app.video.rooms import session_named

_ROOM = re.compile(r"RM[0-9a-fA-F]{32}")
_CONNECTION = re.compile(r"PA[0-9a-fA-F]{32}")


class Unreadable(Exception):
    """A callback that does not say what a callback says. The message is a sentence."""


def hear(fields: Mapping[str, str]) -> bool:
    """Keep what a callback says, if it is about a room of ours and of a kind we keep; return whether it was news.

    Callbacks come late, twice, in any order, or not at all. Their number (`SequenceNumber`) is not the order
    in which things happened: its time is.

    Args:
        fields: the form, as it came and signed.

    Raises:
        Unreadable: it lacks a field, or one makes no sense.
    """
    kind = fields.get("StatusCallbackEvent", "")
    if kind not in told.KINDS:
        return False
    session = session_named(fields.get("RoomName", ""))
    if session is None:
        return False
    room_sid = _matching(_ROOM, fields, "RoomSid")
    of_person = kind in (told.CONNECTED, told.DISCONNECTED)
    return told.keep(
        session=session,
        room_sid=room_sid,
        kind=kind,
        at=_time(fields),
        fields=fields,
        connection=_matching(_CONNECTION, fields, "ParticipantSid") if of_person else "",
        identity=fields.get("ParticipantIdentity", ""),
    )


def _matching(pattern: re.Pattern[str], fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise Unreadable(f"{name} is no name of Twilio's.")
    return value


def _time(fields: Mapping[str, str]) -> datetime:
    try:
        at = parse_datetime(fields.get("Timestamp", ""))
    except ValueError:  # 30 February
        at = None
    if at is None or not is_aware(at):
        raise Unreadable("Timestamp is no time.")
    return at
