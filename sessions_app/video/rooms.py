"""A session's room at the video service: made when it is accepted, or on joining; ended when the session is over.

One room an acceptance: an expert who gave the request back has a token for a room that is gone.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from hopps.each import look_after, shuffled
from sessions_app.models import LIVE_STATES, HelpSession, HelpSessionQuerySet, Video, VideoEvent
from sessions_app.video import jobs, told
from sessions_app.video.service import VideoUnavailable, service

# A room this young may be one that is about to be its session's.
GRACE = timedelta(minutes=1)
# The service ends a room nobody is in by itself, long before.
LOST_FOR = timedelta(days=1)
SWEEP_SECONDS = 15.0


def name_of(session: HelpSession) -> str:
    """Return what an accepted session's room is called: another name each time it is accepted."""
    at = session.accepted_at
    if at is None:
        raise ValueError(f"Session {session.pk} is not accepted, and has no room.")
    return f"{session.pk}_{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}"


def session_named(name: str) -> HelpSession | None:
    """Return the session whose room is called `name`, or None where it is no name of ours."""
    try:
        return HelpSession.objects.filter(pk=UUID(name.partition("_")[0])).first()
    except ValueError:
        return None


def begin(session: HelpSession) -> None:
    """Have the room of a session that was just accepted made. A lost job does no harm: who joins makes it."""
    if session.video == Video.TWILIO:
        transaction.on_commit(lambda: jobs.open_room(str(session.pk)), robust=True)


def let_go(session: HelpSession) -> None:
    """Have the room of `session`, as it was while it was accepted, ended. A lost job is the sweep's."""
    if session.video == Video.TWILIO and session.accepted_at is not None:
        close_soon(session)


def close_soon(session: HelpSession) -> None:
    """Set the job that ends the room of `session`, whether or not we know that it was made."""
    name = name_of(session)
    transaction.on_commit(lambda: jobs.close_room(name), robust=True)


def is_missing(session_id: UUID) -> bool:
    """Return whether this call goes by a room that is not made yet."""
    return _without_room(session_id).exists()


def open_room(session_id: UUID) -> None:
    """Make the session's room, if it is to have one and has none. Several at it make one room.

    Raises:
        VideoUnavailable: the service does not answer.
    """
    session = _without_room(session_id).first()
    if session is None:
        return
    room = service().open(name_of(session))
    # Only for the acceptance it was made for, and the first to say so: a room of the same name is the same room.
    _without_room(session_id).filter(accepted_at=session.accepted_at).update(room_sid=room.sid)
    told.room_opened(session, room)
    if room.sid not in _in_use(HelpSession.objects.filter(pk=session_id)):
        # Given back, cancelled or over meanwhile.
        close_room(room.sid)


def close_room(name_or_sid: str) -> None:
    """End a room; one that is over stays as it is.

    Raises:
        VideoUnavailable: the service does not answer.
    """
    room = service().close(name_or_sid)
    if room is not None:
        session = session_named(room.name)
        if session is not None:
            told.room_ended(session, room.sid, at=room.ended_at or timezone.now())
        return
    # Over already, or never made. Where we know of its beginning, we write that there is nothing left to end.
    opened = VideoEvent.objects.filter(kind=told.ROOM_OPENED, room_sid=name_or_sid).select_related("session").first()
    if opened is not None:
        told.room_ended(opened.session, opened.room_sid, at=timezone.now())


def close_lost(now: datetime) -> None:
    """End the rooms that are still open and nobody's any more: what a lost job, or a crash, left behind. `now`: UTC."""
    lately = VideoEvent.objects.filter(received_at__gt=now - LOST_FOR)
    opened = lately.filter(kind=told.ROOM_OPENED, received_at__lt=now - GRACE).values_list("room_sid", flat=True)
    lost = set(opened)
    if not lost:
        return
    lost -= set(lately.filter(kind=told.ROOM_ENDED).values_list("room_sid", flat=True))
    lost -= _in_use(HelpSession.objects.live())
    look_after(shuffled(lost), close_room, name="Room", quiet=(VideoUnavailable,), seconds=SWEEP_SECONDS)


def _without_room(session_id: UUID) -> HelpSessionQuerySet:
    return HelpSession.objects.filter(pk=session_id, state__in=LIVE_STATES, video=Video.TWILIO, room_sid="")


def _in_use(sessions: HelpSessionQuerySet) -> set[str]:
    """Return the rooms that calls among `sessions` go by now."""
    live = sessions.filter(state__in=LIVE_STATES, video=Video.TWILIO).exclude(room_sid="")
    return set(live.values_list("room_sid", flat=True))
