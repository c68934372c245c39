"""The end of a session. What it costs is worked out by settle, once the last attendance is closed."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.experts import refresh_boards
from accounts.models import User
from hopps.errors import Refused
from sessions_app import attendance, jobs, live
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.timeline import record
from sessions_app.video import rooms


def end(*, session: HelpSession, by: User) -> None:
    """Either side ends the running session.

    Raises:
        Refused: it is not running.
    """
    reason = HelpSession.EndReason.CUSTOMER if by.pk == session.customer_id else HelpSession.EndReason.EXPERT
    if not finish(session_id=session.pk, reason=reason, by=by, at=timezone.now()):
        raise Refused("This session is not running, so there is nothing to end.")


def finish(
    *, session_id: UUID, reason: HelpSession.EndReason, by: User | None, at: datetime, cap_minutes: int | None = None
) -> bool:
    """End an active session at `at` (UTC; nothing after it is billed); return whether it was this call that did.

    `by`: a side of it, or the operator for whom Hopps ended it.
    `cap_minutes`: only if that is still its cap, so that an extension in the last second wins over the cap reached.
    """
    running = HelpSession.objects.filter(pk=session_id, state=State.ACTIVE)
    if cap_minutes is not None:
        running = running.filter(cap_minutes=cap_minutes)
    won = running.update(state=State.ENDED, ended_at=at, end_reason=reason)
    if not won:
        return False
    session = HelpSession.objects.with_people().get(pk=session_id)
    note = session.get_end_reason_display() if by is None or reason == HelpSession.EndReason.HOPPS else ""
    record(session, TimelineEntry.Kind.ENDED, by=by, note=note, at=at)
    live.session_changed(session)
    refresh_boards(session.expert_id)
    rooms.let_go(session)
    # Both pages close their sockets when they hear of it; the bill waits for that, or for this job.
    jobs.look_again_when_due(session)
    if not attendance.people_present(session, timezone.now()):
        jobs.settle_when_committed(session_id)
    return True
