"""What time itself will do to a session next, and when (DESIGN §2). Read from the database; changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.conf import settings

from sessions_app import attendance
from sessions_app.clock import moment_of, total_seconds
from sessions_app.models import HelpSession, State

# How long after the end the bill waits for both pages' sockets to close; then their last sign of life counts.
GOODBYE_SECONDS = 5


class TimeOut(Enum):
    """The kinds of time-out."""

    UNANSWERED = auto()
    FIRST_EXPERT_SILENT = auto()
    BOTH_ARE_HERE = auto()
    EXPERT_NEVER_CAME = auto()
    CUSTOMER_NEVER_CAME = auto()
    CAP = auto()
    LONGEST = auto()
    ABSENCE = auto()
    GOODBYE = auto()


@dataclass(frozen=True)
class Due:
    """A time-out, and the moment (UTC) it is due if nothing changes before."""

    at: datetime
    what: TimeOut


def next_due(session: HelpSession, now: datetime) -> Due | None:
    """Return the first time-out ahead of (or behind) `session`, going by what is known at `now` (UTC)."""
    return min(_all_due(session, now), key=lambda due: due.at, default=None)


def _all_due(session: HelpSession, now: datetime) -> Iterator[Due]:
    match session.state:
        case State.REQUESTED if session.expires_at is not None:
            yield Due(session.expires_at, TimeOut.UNANSWERED)
            if session.first_until is not None:
                yield Due(session.first_until, TimeOut.FIRST_EXPERT_SILENT)
        case State.ACCEPTED if session.accepted_at is not None:
            yield _due_while_accepted(session, session.accepted_at, now)
        case State.ACTIVE if session.active_at is not None:
            yield from _due_while_active(session, session.active_at, now)
        case State.ENDED if session.ended_at is not None and session.settled_at is None:
            yield Due(session.ended_at + timedelta(seconds=GOODBYE_SECONDS), TimeOut.GOODBYE)


def _due_while_accepted(session: HelpSession, accepted_at: datetime, now: datetime) -> Due:
    present = attendance.people_present(session, now)
    if session.expert_id not in present:
        last = attendance.last_present(session, session.expert_id) or accepted_at
        # An earlier stay, from before it was given back and accepted anew, does not count.
        since = max(last, accepted_at)
        return Due(since + timedelta(seconds=settings.EXPERT_JOIN_SECONDS), TimeOut.EXPERT_NEVER_CAME)
    if session.customer_id in present:
        # Entering starts the session; this is for one who had been silent for a while when the other came in.
        return Due(now, TimeOut.BOTH_ARE_HERE)
    came = attendance.first_joined(session, session.expert_id, since=accepted_at) or accepted_at
    last = attendance.last_present(session, session.customer_id) or came
    return Due(max(last, came) + timedelta(seconds=settings.ABSENCE_ENDS_SECONDS), TimeOut.CUSTOMER_NEVER_CAME)


def _due_while_active(session: HelpSession, active_at: datetime, now: datetime) -> Iterator[Due]:
    yield Due(active_at + timedelta(seconds=settings.LONGEST_SESSION_SECONDS), TimeOut.LONGEST)
    intervals = attendance.billable(session, now)
    reached = moment_of(intervals, session.price.cap_seconds)
    left = session.price.cap_seconds - total_seconds(intervals)
    yield Due(reached or now + timedelta(seconds=left), TimeOut.CAP)
    present = attendance.people_present(session, now)
    gone = [person for person in (session.customer_id, session.expert_id) if person not in present]
    if gone:
        since = min(attendance.last_present(session, person) or active_at for person in gone)
        yield Due(since + timedelta(seconds=settings.ABSENCE_ENDS_SECONDS), TimeOut.ABSENCE)
