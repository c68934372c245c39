"""The bill: billable time becomes an amount, once, and the amount is captured from the hold."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from billing.capture import capture
from billing.models import Payment
from billing.pricing import amount_due
from sessions_app import attendance, live
from sessions_app.clock import total_seconds
from sessions_app.due import GOODBYE_SECONDS
from sessions_app.models import Attendance, HelpSession, State


def settle_when_empty(session_id: UUID) -> None:
    """Settle an ended session if nobody is in its room any more, or if the time for goodbyes is over.

    One that is settled stays as it is: what a crash left of charging it is the sweep's, and a refused charge is tried again
    when its time has come, not with every late goodbye.
    """
    session = HelpSession.objects.with_people().get(pk=session_id)
    if session.state != State.ENDED or session.ended_at is None or session.settled_at is not None:
        return
    waited = timezone.now() - session.ended_at >= timedelta(seconds=GOODBYE_SECONDS)
    if waited or not Attendance.objects.filter(session=session, left_at=None).exists():
        settle(session)


def settle(session: HelpSession) -> None:
    """Fix the billable seconds and the amount of an ended session and charge the card.

    Safe to call again: one conditional UPDATE fixes the figures, and the capture carries its own key.
    """
    now = timezone.now()
    seconds = int(total_seconds(attendance.billable(session, now, proven_only=True)))
    # Time in a room that never worked is nobody's to pay for (decision 0005).
    amount = amount_due(seconds, session.price) if attendance.call_worked(session, now) else 0
    won = HelpSession.objects.filter(pk=session.pk, state=State.ENDED, settled_at=None).update(
        settled_at=now, billable_seconds=seconds, amount_minor=amount
    )
    session = HelpSession.objects.with_people().get(pk=session.pk)
    if session.expert is None:
        raise ValueError(f"Session {session.pk} ended without an expert.")
    if won:
        # Before the processor is asked, who may take long: the figures are fixed. What comes of the charge is told when it
        # is known, to whoever charges (`receivers`).
        live.session_changed(session)
    payment = capture(reference=session.pk, payee=session.expert, amount_minor=session.amount_minor)
    if payment.state == Payment.State.FAILED:
        live.session_changed(session)
