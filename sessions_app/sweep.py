"""Once a minute: whatever a lost job, a killed server or a crash between two writes left behind."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q

from billing import holds
from billing.models import Payment
from billing.release import release as release_hold
from sessions_app import attendance, live
from sessions_app.ask import discard, go_live
from sessions_app.cases import heal_cases
from sessions_app.extend import raise_cap
from sessions_app.models import OPEN_STATES, HelpSession, HelpSessionQuerySet, State
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
        live.clock_changed(HelpSession.objects.get(pk=session_id))
    unsettled = Q(state=State.ENDED, settled_at=None)
    overdue = HelpSession.objects.filter(Q(state__in=OPEN_STATES) | unsettled)
    _each(overdue, lambda session: enforce(session_id=session.pk, now=now))
    unfinished = Payment.objects.filter(state=Payment.State.OPEN, created_at__lt=now - GRACE)
    references = list(unfinished.values_list("reference", flat=True))
    _each(HelpSession.objects.with_people().filter(pk__in=references), _finish_money)
    _each(HelpSession.objects.filter(state=State.DRAFT, created_at__lt=now - DRAFT_KEPT), lambda old: discard(old.pk))
    heal_cases(now)


def _each(sessions: HelpSessionQuerySet, work: Callable[[HelpSession], object]) -> None:
    """Do `work` for each; one that cannot be looked after this minute must not keep the others waiting."""
    for session in list(sessions):
        try:
            work(session)
        except Exception:
            logger.exception("Session %s could not be looked after; the others are", session.pk)


def _finish_money(session: HelpSession) -> None:
    """Finish what a crash between our write and the gateway's left: money held for nothing, or earned and not charged."""
    match session.state:
        case State.CANCELLED | State.EXPIRED:
            release_hold(reference=session.pk)
        case State.ENDED if session.settled_at is not None:
            settle(session)
        case State.ACTIVE:
            raise_cap(session=session)
        case State.DRAFT if holds.is_held(session.pk):
            go_live(session.pk)
