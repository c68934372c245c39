"""Once a minute: whatever a lost job, a killed server or a crash between two writes left behind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q

from accounts.models import SentMail
from accounts.suspending import heal_suspensions
from billing import holds
from billing.gateways.base import GatewayUnavailable
from billing.healing import SECONDS as HEAL_SECONDS
from billing.models import Payment, Posting, Refund
from billing.release import release as release_hold
from hopps.each import look_after, shuffled
from sessions_app import attendance, jobs, live, receipt_mails
from sessions_app.ask import discard, go_live
from sessions_app.cancel import call_off_unheld
from sessions_app.cases import heal_cases
from sessions_app.extend import raise_cap
from sessions_app.models import OPEN_STATES, HelpSession, State
from sessions_app.person_reports import heal_person_reports
from sessions_app.reach.healing import heal_reach
from sessions_app.settle import settle
from sessions_app.suspended import put_out_all
from sessions_app.timeouts import enforce
from sessions_app.video.rooms import close_lost
from sessions_app.watch import tell_watchers

# A session whose processor does not answer waits for the next minute.
_each = partial(look_after, name="Session", quiet=(GatewayUnavailable,))

# A crash between two writes is old by then; anything younger is still being worked on.
GRACE = timedelta(minutes=1)
# For so long a mail that did not go out is set again: it has news until then.
NEWS = timedelta(days=1)
# No card is charged later than this after it was decided: the bank has given the hold back by then.
LONGEST_CHARGE = timedelta(days=31)
# How long an unsent draft keeps its words.
DRAFT_KEPT = timedelta(days=7)


def sweep(*, now: datetime) -> None:
    """Put right everything that is overdue at `now` (UTC). Each part is safe to repeat."""
    heal_suspensions()
    put_out_all()
    for session_id in set(attendance.close_stale(now)):
        live.clock_changed(HelpSession.objects.get(pk=session_id))
    unsettled = Q(state=State.ENDED, settled_at=None)
    overdue = HelpSession.objects.filter(Q(state__in=OPEN_STATES) | unsettled)
    _each(overdue, lambda session: enforce(session_id=session.pk, now=now))
    unfinished = Payment.objects.filter(state=Payment.State.OPEN, created_at__lt=now - GRACE)
    references = list(unfinished.values_list("reference", flat=True))
    # These ask the processor: one that hangs keeps the other minutes' work waiting for so long and no longer.
    paid_for = HelpSession.objects.with_people().filter(pk__in=references)
    _each(shuffled(paid_for), _finish_money, seconds=HEAL_SECONDS)
    _each(HelpSession.objects.filter(state=State.DRAFT, created_at__lt=now - DRAFT_KEPT), lambda old: discard(old.pk))
    heal_reach(now)
    tell_watchers(now)
    heal_cases(now)
    heal_person_reports(now)
    close_lost(now)
    send_lost_mails(now=now)


def send_lost_mails(*, now: datetime) -> None:
    """Set the jobs of mails about money that a crash, or a mail server out of reach, kept from going out."""
    window = (now - NEWS, now - GRACE)
    charged = Payment.objects.filter(
        state=Payment.State.CHARGED,
        closed_at__gt=now - LONGEST_CHARGE,
        postings__kind=Posting.Kind.CHARGE,
        postings__posted_at__range=window,
    )
    given_up = (Payment.State.FAILED, Payment.State.CHARGED)  # all of it, or the rest
    flagged = Payment.objects.filter(state__in=given_up, flagged_at__range=window)
    refunds = Refund.objects.exclude(state=Refund.State.FAILED).filter(created_at__range=window)
    lost: dict[str, Callable[[], object]] = {}
    for reference in charged.values_list("reference", flat=True):
        lost[receipt_mails.receipt_key(reference)] = partial(jobs.mail_receipt, str(reference))
    # An operator's further try may have brought all of it since.
    paid = dict(flagged.values_list("reference", "charged_minor"))
    for reference, due in HelpSession.objects.filter(pk__in=list(paid)).values_list("pk", "amount_minor"):
        if due > paid[reference]:
            lost[receipt_mails.charge_failed_key(reference)] = partial(jobs.mail_charge_failed, str(reference))
    for refund in refunds:
        if receipt_mails.is_underway(refund):
            lost[receipt_mails.refund_key(refund.pk)] = partial(jobs.mail_refund, str(refund.pk))
    sent = set(SentMail.objects.filter(key__in=list(lost)).values_list("key", flat=True))
    for key in lost.keys() - sent:
        lost[key]()


def _finish_money(session: HelpSession) -> None:
    """Finish what a crash between our write and the gateway's left: money held for nothing, or earned and not charged."""
    match session.state:
        case State.CANCELLED | State.EXPIRED:
            release_hold(reference=session.pk)
        case State.ENDED if session.settled_at is not None:
            settle(session)
        case State.REQUESTED | State.ACCEPTED if not holds.is_held(session.pk):
            call_off_unheld(session_id=session.pk)
        case State.ACTIVE:
            raise_cap(session=session)
        case State.DRAFT if holds.is_held(session.pk):
            go_live(session.pk)
