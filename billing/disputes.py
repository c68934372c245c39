"""Disputes: a customer's bank took a charge back, for now or for good."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from billing import ledger, signals
from billing.gateways.base import GatewayDispute, GatewayUnavailable
from billing.models import Dispute, Hold, Payment, Posting, Refund
from billing.returned import expert_part, recount, returned_of
from hopps.each import look_after

State = Dispute.State


def write_down(*, seen: GatewayDispute, gateway_name: str) -> Dispute | None:
    """Bring our row of a dispute, and the ledger, in line with how it stands at the gateway. Safe to call again.

    While it is open the customer has the money: the expert and the platform give it, in proportion. Won, it comes back to
    both. An inquiry moves nothing.

    Returns:
        The dispute, or None where it is about no charge of ours.

    Raises:
        GatewayUnavailable: our own charge, or a refund of it, is not written down yet; ask again later.
    """
    hold = Hold.objects.filter(gateway=gateway_name, gateway_ref=seen.hold_ref).select_related("payment").first()
    if hold is None:
        return None
    if hold.payment.state != Payment.State.CHARGED:
        raise GatewayUnavailable("Our own charge is not written down yet.")
    if hold.payment.refunds.filter(state=Refund.State.PENDING, revision=0).exists():
        # Refused or made, that decides who gives how much of the rest.
        raise GatewayUnavailable("A refund of the same charge is being asked for.")
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
            "closed_at": timezone.now() if seen.state in Dispute.OVER else None,
        },
    )
    changed = created or _change(row, seen)
    _square(row)
    if changed:
        signals.dispute_changed.send_robust(sender=Dispute, dispute=row)
    return row


def _change(row: Dispute, seen: GatewayDispute) -> bool:
    """Write down how the dispute stands now, and return whether that is news.

    An answer that was on its way while the bank went on changes nothing any more: an inquiry comes before anything else,
    and what is decided is open no more.
    """
    over = seen.state in Dispute.OVER
    while True:
        before = Dispute.objects.filter(pk=row.pk, state=row.state)
        as_it_is = row.state == seen.state and (over or row.answer_by == seen.answer_by)
        overtaken = (seen.state == "inquiry" and row.state != State.INQUIRY) or (not over and row.state in Dispute.OVER)
        if as_it_is or overtaken:
            return False
        news: dict[str, object] = {"closed_at": timezone.now()} if over else {"answer_by": seen.answer_by}
        if seen.state in Dispute.TAKEN and row.state not in Dispute.TAKEN:
            # The money goes back to the customer at this moment: who gives how much of it is decided by what there is now.
            news["amount_minor"] = seen.amount_minor
            news["expert_minor"] = expert_part(row.payment, returned_of(row.payment), seen.amount_minor)
        won = before.update(state=seen.state, **news)
        row.refresh_from_db()
        if won:
            return True


def heal_disputes(now: datetime) -> None:
    """Book again what was decided in the last day before `now` (UTC): of two processes the slower may have booked last."""
    decided = Dispute.objects.filter(closed_at__gt=now - timedelta(days=1)).select_related("payment")
    look_after(decided, _square, name="Dispute")


def _square(row: Dispute) -> None:
    _book(row)
    recount(row.payment)


def _book(row: Dispute) -> None:
    """Post what the row's state means, where the ledger does not say it yet.

    The postings of one dispute take turns: the bank takes the money, the bank gives it back. Their number is in their
    keys, so each is written once; who read an older state looks again.
    """
    out, back = f"dispute:{row.pk}", f"dispute-won:{row.pk}"
    while True:
        booked = list(Posting.objects.filter(Q(key__startswith=out) | Q(key__startswith=back)))
        row.refresh_from_db()
        is_out = len(booked) % 2 == 1
        if is_out == (row.state in Dispute.TAKEN):
            return
        turn = len(booked) // 2 + 1
        key = (back if is_out else out) + (f":{turn}" if turn > 1 else "")
        if is_out:
            # Exactly what was taken the last time.
            customer, expert = -sum(posting.customer for posting in booked), -sum(posting.expert for posting in booked)
        else:
            customer, expert = row.amount_minor, -row.expert_minor
        with suppress(ValueError):  # another process posted this turn by a newer row
            _post(row, key, customer, expert)


def _post(row: Dispute, key: str, customer: int, expert: int) -> None:
    payment = row.payment
    ledger.post(
        key=key,
        kind=Posting.Kind.DISPUTE,
        currency=payment.currency,
        payment=payment,
        customer_user=payment.payer,
        expert_user=payment.payee,
        customer=customer,
        expert=expert,
        platform=-customer - expert,
    )
