"""Once a minute: whatever a lost job, a killed server or a crash between two writes left behind."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q

from billing import holds
from billing.models import Payment
from billing.release import release as release_hold
from sessions_app import attendance, live
from sessions_app.ask import go_live
from sessions_app.models import OPEN_STATES, HelpSession, State
from sessions_app.settle import settle
from sessions_app.timeouts import enforce

logger = logging.getLogger(__name__)

# A crash between two writes is old by then; anything younger is still being worked on.
GRACE = timedelta(minutes=1)
# How long an unsent draft keeps its words.
DRAFT_KEPT = timedelta(days=7)


def sweep(*, now: datetime) -> None:
    """Put right everything that is overdue at `now` (UTC). Each part is safe to repeat."""
    for session_id in set(attendance.close_stale(now)):
        session = HelpSession.objects.get(pk=session_id)
        live.clock_changed(session)
    unsettled = Q(state=State.ENDED, settled_at=None)
    for session_id in HelpSession.objects.filter(Q(state__in=OPEN_STATES) | unsettled).values_list("pk", flat=True):
        try:
            enforce(session_id=session_id, now=now)
        except Exception:
            logger.exception("Session %s could not be looked after; the others are", session_id)
    _money_of_sessions_that_moved_on(now)
    _old_drafts(now)


def _money_of_sessions_that_moved_on(now: datetime) -> None:
    """Finish what a crash between our write and the gateway's left: money held for nothing, or earned and not charged."""
    unfinished = Payment.objects.filter(state=Payment.State.OPEN, created_at__lt=now - GRACE)
    references = list(unfinished.values_list("reference", flat=True))
    for session in HelpSession.objects.with_people().filter(pk__in=references):
        match session.state:
            case State.CANCELLED | State.EXPIRED:
                release_hold(reference=session.pk)
            case State.ENDED if session.settled_at is not None:
                settle(session)
            case State.DRAFT if holds.is_held(session.pk):
                go_live(session.pk)


def _old_drafts(now: datetime) -> None:
    for session in HelpSession.objects.filter(state=State.DRAFT, created_at__lt=now - DRAFT_KEPT):
        release_hold(reference=session.pk)
        HelpSession.objects.filter(pk=session.pk, state=State.DRAFT).delete()
