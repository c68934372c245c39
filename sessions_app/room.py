"""The room: who may enter, coming in and going out."""

from datetime import datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Do, may
from hopps.errors import Refused
from sessions_app import attendance, jobs, live
from sessions_app.models import Attendance, HelpSession, State, TimelineEntry
from sessions_app.timeline import record

ALGORITHM = "HS256"


def grant(*, session: HelpSession, person: User) -> str:
    """Return a JWT that lets `person` into this session's room, good for 60 s and for the first connection.

    Raises:
        Refused: the room is not open (no expert yet, or it is over).
    """
    if not session.is_live or not may(person, Do.TAKE_PART, session):
        raise Refused("This room is not open. Reload the page to see where the session stands.")
    now = timezone.now()
    claims = {
        "aud": str(session.pk),
        "sub": str(person.pk),
        "iat": now,
        "exp": now + timedelta(seconds=settings.ROOM_GRANT_SECONDS),
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def is_granted(token: str, *, session_id: UUID, person: User) -> bool:
    """Return whether `token` is a grant of ours for this room and person, and not run out."""
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[ALGORITHM],
            audience=str(session_id),
            options={"require": ["aud", "sub", "exp"]},
        )
    except jwt.InvalidTokenError:
        return False
    return bool(claims["sub"] == str(person.pk))


def enter(*, session_id: UUID, person: User, page: UUID, token: str | None, at: datetime) -> Attendance:
    """Come into the room with `page`; the session becomes active when both are in.

    `at` (UTC): when the page said so. It is there from then on, however long the door takes to open. `entered` is to follow,
    once the page was told that it is in: two who wait for each other's picture wait for nothing else.

    Raises:
        Refused: no valid grant and not let in before, or the room is not open.
    """
    session = HelpSession.objects.with_people().get(pk=session_id)
    if not session.is_live or not may(person, Do.TAKE_PART, session):
        raise Refused("This room is not open any more. Reload the page to see where the session stands.")
    if token is not None:
        admitted = is_granted(token, session_id=session_id, person=person)
    else:
        admitted = attendance.was_admitted(session_id=session_id, person=person, page=page)
    if not admitted:
        raise Refused("This invitation into the room has run out. Press “Join call” again.")
    stretch = attendance.join(session=session, person=person, page=page, now=at)
    start_when_both_are_here(session, timezone.now())
    return stretch


def entered(*, session_id: UUID) -> None:
    """Tell both sides who is there and what the clock says, after somebody came in, and look again when something is due."""
    session = HelpSession.objects.with_people().get(pk=session_id)
    live.clock_changed(session)
    jobs.look_again_when_due(session)


def start_when_both_are_here(session: HelpSession, now: datetime) -> None:
    """Make an accepted session active if both are in its room at `now` (UTC)."""
    present = attendance.people_present(session, now)
    if not {session.customer_id, session.expert_id} <= present:
        return
    # The expert is part of the condition: it may have been given back in between.
    won = HelpSession.objects.filter(pk=session.pk, state=State.ACCEPTED, expert_id=session.expert_id).update(
        state=State.ACTIVE, active_at=now
    )
    if won:
        session.refresh_from_db()
        record(session, TimelineEntry.Kind.STARTED, at=now)
        live.session_changed(session)


def media_flows(*, attendance_id: UUID, at: datetime) -> None:
    """Write that the page of this stretch has the line to the other's since `at` (UTC), and tell both: it may cost now."""
    attendance.media_flows(attendance_id=attendance_id, at=at)
    live.clock_changed(HelpSession.objects.with_people().get(attendances=attendance_id))


def go(*, attendance_id: UUID, at: datetime) -> None:
    """Leave the room; `at` is the last sign of life (UTC)."""
    attendance.leave(attendance_id=attendance_id, at=at)
    session = HelpSession.objects.with_people().get(attendances=attendance_id)
    if session.state == State.ENDED:
        # A job's work: a socket's thread is shared by all sockets of the process, and the processor may take seconds.
        jobs.settle_when_committed(session.pk)
        return
    live.clock_changed(session)
    jobs.look_again_when_due(session)
