"""Disputes: a customer's bank took a charge back, for now or for good."""

from datetime import datetime, timedelta

from django.utils import timezone

from billing import ledger, signals
from billing.gateways.base import GatewayDispute, GatewayUnavailable
from billing.models import Dispute, Hold, Payment, Posting
from billing.returned import Returned, expert_part, recount, returned_of

State = Dispute.State
OVER = (State.WON, State.LOST)


def write_down(*, seen: GatewayDispute, gateway_name: str) -> Dispute | None:
    """Bring our row of a dispute, and the ledger, in line with how it stands at the gateway. Safe to call again.

    While it is open the customer has the money: the expert and the platform give it, in proportion. Won, it comes back to
    both. An inquiry moves nothing.

    Returns:
        The dispute, or None where it is about no charge of ours.

    Raises:
        GatewayUnavailable: our own charge is not written down yet; ask again later.
    """
    hold = Hold.objects.filter(gateway=gateway_name, gateway_ref=seen.hold_ref).select_related("payment").first()
    if hold is None:
        return None
    if hold.payment.state != Payment.State.CHARGED:
        raise GatewayUnavailable("Our own charge is not written down yet.")
    row, created = Dispute.objects.get_or_create(
        gateway=gateway_name,
        gateway_ref=seen.ref,
        defaults={
            "payment": hold.payment,
            "hold": hold,
            "amount_minor": seen.amount_minor,
            "expert_minor": expert_part(hold.payment, returned_of(hold.payment), seen.amount_minor),
            "reason": seen.reason[:60],
            "state": seen.state,
            "answer_by": seen.answer_by,
            "opened_at": seen.opened_at,
            "closed_at": timezone.now() if seen.state in OVER else None,
        },
    )
    changed = created
    if not created:
        rows = Dispute.objects.filter(pk=row.pk)
        if seen.state in OVER:
            changed = bool(rows.exclude(state=seen.state).update(state=seen.state, closed_at=timezone.now()))
        else:
            # An answer that was on its way while the bank decided changes nothing any more.
            still_open = rows.exclude(state__in=OVER)
            changed = bool(
                still_open.exclude(state=seen.state, answer_by=seen.answer_by).update(
                    state=seen.state, answer_by=seen.answer_by
                )
            )
        row.refresh_from_db()
    _book(row)
    recount(row.payment)
    if changed:
        signals.dispute_changed.send_robust(sender=Dispute, dispute=row)
    return row


def heal_disputes(now: datetime) -> None:
    """Book again what was decided in the last day before `now` (UTC): of two processes the slower may have booked last."""
    for row in Dispute.objects.filter(closed_at__gt=now - timedelta(days=1)).select_related("payment"):
        _book(row)
        recount(row.payment)


def _book(row: Dispute) -> None:
    """Post what the row's state means, once each."""
    key = f"dispute:{row.pk}"
    if row.state in Returned.DISPUTED:
        _post(row, key, 1)
    elif Posting.objects.filter(key=key).exists():
        _post(row, f"dispute-won:{row.pk}", -1)


def _post(row: Dispute, key: str, sign: int) -> None:
    payment = row.payment
    ledger.post(
        key=key,
        kind=Posting.Kind.DISPUTE,
        currency=payment.currency,
        payment=payment,
        customer_user=payment.payer,
        expert_user=payment.payee,
        customer=sign * row.amount_minor,
        expert=-sign * row.expert_minor,
        platform=-sign * (row.amount_minor - row.expert_minor),
    )
