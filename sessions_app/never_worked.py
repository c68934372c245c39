"""A call in which the two were never connected costs nothing (decision 0005)."""

from uuid import uuid5

from billing.models import Payment, Refund
from billing.refund import refund
from sessions_app import attendance
from sessions_app.models import HelpSession

REASON = "The call never connected"


def never_connected(session: HelpSession) -> bool:
    """Return whether a settled session costs nothing because both were there and the call never came about."""
    if session.settled_at is None or not session.billable_seconds or session.amount_minor:
        return False
    return not attendance.call_worked(session, session.settled_at)


def refund_if_call_never_worked(session: HelpSession) -> Refund | None:
    """Give everything back that was charged for a call in which the two were never connected; return the refund.

    For what was charged before that was known: settling charges nothing for such a call. Safe to repeat. None where the
    call worked, the bill is not made yet, or nothing is left to give back.

    Raises:
        RefundRefused: the processor said no.
    """
    payment = Payment.objects.filter(reference=session.pk, state=Payment.State.CHARGED).first()
    if payment is None or session.settled_at is None or attendance.call_worked(session, session.settled_at):
        return None
    refund_id = uuid5(session.pk, "never worked")
    made = Refund.objects.filter(pk=refund_id).first()
    if made is None and not payment.refundable_minor:
        return None
    amount = made.amount_minor if made is not None else payment.refundable_minor
    return refund(payment=payment, amount_minor=amount, reason=REASON, by=None, refund_id=refund_id)
