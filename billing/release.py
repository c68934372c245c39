"""Giving held money back."""

from uuid import UUID

from django.utils import timezone

from billing.gateways import gateway
from billing.gateways.base import GatewayRefused
from billing.models import Hold, Payment


def release(*, reference: UUID) -> None:
    """Give back every hold of a payment and charge nothing. Safe to call again, and where nothing was ever held.

    A payment that is charged, or being charged, stays as it is.

    Args:
        reference: what the payment is for.

    Raises:
        GatewayError: the processor did not do it; the next call or the sweep goes on from there.
    """
    Payment.objects.filter(reference=reference, state=Payment.State.OPEN).update(
        state=Payment.State.RELEASED, closed_at=timezone.now()
    )
    payment = Payment.objects.filter(reference=reference, state=Payment.State.RELEASED).first()
    if payment is not None:
        release_holds(payment)


def release_holds(payment: Payment) -> None:
    """Let go of every hold of a closed payment that nothing was captured from.

    A hold the processor is being asked for this moment has no name yet; who asked lets go of it, or the sweep does.
    """
    standing = [Hold.State.PENDING, Hold.State.PLACED, Hold.State.RELEASING]
    for hold in payment.holds.filter(state__in=standing).exclude(gateway_ref="").select_related("card"):
        let_go(hold)


def let_go(hold: Hold) -> bool:
    """Give one hold back and return whether it is.

    The row says RELEASING first: whoever wants the same hold for something else loses to this, and a crash before the
    processor answers is found by the sweep.
    """
    before = [hold.state, Hold.State.RELEASING]
    if not Hold.objects.filter(pk=hold.pk, state__in=before).update(state=Hold.State.RELEASING):
        return False
    try:
        gateway(hold.gateway).release(key=f"release:{hold.pk}", ref=hold.gateway_ref)
    except GatewayRefused:
        hold.refresh_from_db(fields=["state"])
        if hold.state == Hold.State.CAPTURED:  # the charge was quicker
            return False
        raise
    Hold.objects.filter(pk=hold.pk, state=Hold.State.RELEASING).update(state=Hold.State.RELEASED)
    return True
