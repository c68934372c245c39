"""Doing what is due. Jobs and the sweep only ask: the database says whether it is."""

from datetime import datetime
from uuid import UUID

from sessions_app.cancel import expire, give_up_on_customer
from sessions_app.due import TimeOut, next_due
from sessions_app.end import finish
from sessions_app.extend import raise_cap
from sessions_app.first import end_first_minute
from sessions_app.models import HelpSession, TimelineEntry
from sessions_app.release import return_to_queue
from sessions_app.room import start_when_both_are_here
from sessions_app.settle import settle_when_empty


def enforce(*, session_id: UUID, now: datetime) -> None:
    """Do what is due for the session at `now` (UTC); nothing where nothing is."""
    session = HelpSession.objects.with_people().filter(pk=session_id).first()
    due = next_due(session, now) if session is not None else None
    if session is None or due is None or due.at > now:
        return
    match due.what:
        case TimeOut.BOTH_ARE_HERE:
            start_when_both_are_here(session, now)
        case TimeOut.UNANSWERED:
            expire(session=session)
        case TimeOut.FIRST_EXPERT_SILENT:
            end_first_minute(session_id=session.pk, now=now)
        case TimeOut.EXPERT_NEVER_CAME if session.expert is not None:
            return_to_queue(session_id=session.pk, expert=session.expert, by=None, kind=TimelineEntry.Kind.RETURNED)
        case TimeOut.CUSTOMER_NEVER_CAME:
            give_up_on_customer(session_id=session.pk)
        case TimeOut.CAP:
            # At the moment it was reached, however late we look: nobody pays for our being late.
            if not raise_cap(session=session):
                reason = HelpSession.EndReason.CAP
                finish(session_id=session.pk, reason=reason, by=None, at=due.at, cap_minutes=session.cap_minutes)
        case TimeOut.LONGEST:
            finish(session_id=session.pk, reason=HelpSession.EndReason.LONGEST, by=None, at=due.at)
        case TimeOut.ABSENCE:
            finish(session_id=session.pk, reason=HelpSession.EndReason.ABSENCE, by=None, at=now)
        case TimeOut.GOODBYE:
            settle_when_empty(session.pk)
