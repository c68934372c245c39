"""Giving charged money back, wholly or in part, with who did it and why."""

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts.models import User
from billing import ledger, signals
from billing.gateways import gateway
from billing.gateways.base import GatewayError, GatewayRefused
from billing.models import Hold, Payment, Posting, Refund
from hopps.errors import Refused
from hopps.money import format_money

logger = logging.getLogger(__name__)


class RefundRefused(Refused):
    """This cannot be given back; `sentence` says why."""


def refund(*, payment: Payment, amount_minor: int, reason: str, by: User | None, refund_id: UUID | None = None) -> Refund:
    """Give `amount_minor` of a charge back. All refunds together never exceed the charge, whoever else refunds meanwhile.

    Args:
        payment: a charged one.
        amount_minor: what to give back, in minor units of the payment's currency.
        reason: for the customer and for the books.
        by: the operator; None: the system, by a rule.
        refund_id: the new refund's id; a form sent twice with the same one refunds once.

    Returns:
        The refund: SUCCEEDED, or PENDING where the processor did not answer (the sweep goes on).

    Raises:
        RefundRefused: too much, nothing charged, no reason, or the processor said no.
    """
    if not reason.strip():
        raise RefundRefused("Say why: the customer reads it on the receipt.")
    made = _reserve(payment, amount_minor, reason.strip()[:300], by, refund_id or uuid4())
    try:
        made = carry_out(made)
    except GatewayError:
        logger.exception("Refund %s is written down and will be tried again", made.pk)
    if made.state == Refund.State.FAILED:
        raise RefundRefused(made.problem)
    return made


def _reserve(payment: Payment, amount_minor: int, reason: str, by: User | None, refund_id: UUID) -> Refund:
    """Write the refund down. The insert decides: its number can be taken once, so the sums read before it still hold."""
    while True:
        payment = Payment.objects.get(pk=payment.pk)
        if Refund.objects.filter(pk=refund_id).exclude(payment=payment).exists():
            raise RefundRefused("This form belongs to another payment. Open it again from this payment's page.")
        earlier = list(Refund.objects.filter(payment=payment).order_by("sequence"))
        for other in earlier:
            if other.pk == refund_id:
                return other
        standing = [other for other in earlier if other.state != Refund.State.FAILED]
        _check(payment, standing, amount_minor)
        try:
            with transaction.atomic():
                return Refund.objects.create(
                    pk=refund_id,
                    payment=payment,
                    sequence=earlier[-1].sequence + 1 if earlier else 1,
                    amount_minor=amount_minor,
                    expert_minor=_expert_part(payment, standing, amount_minor),
                    parts=_parts(payment, standing, amount_minor),
                    reason=reason,
                    by=by,
                )
        except IntegrityError:  # another refund came first: look again
            continue


def _check(payment: Payment, standing: list[Refund], amount_minor: int) -> None:
    if payment.state != Payment.State.CHARGED:
        raise RefundRefused("Nothing was charged here, so nothing can be given back.")
    if amount_minor < 1:
        raise RefundRefused("Give back at least the smallest coin.")
    left = payment.charged_minor - sum(other.amount_minor for other in standing)
    if amount_minor > left:
        if not left:
            raise RefundRefused("All of this charge was given back already.")
        raise RefundRefused(f"Only {format_money(left, payment.currency)} of this charge is left to give back.")


def _expert_part(payment: Payment, standing: list[Refund], amount_minor: int) -> int:
    """Return what the expert gives back, in proportion to the charge, so that a full refund takes exactly the share.

    Counted on the sum of all refunds, rounded down, less what earlier ones took: nothing is lost to rounding.
    """
    charge = Posting.objects.get(key=f"charge:{payment.pk}")
    refunded = sum(other.amount_minor for other in standing)
    taken = sum(other.expert_minor for other in standing)
    part = charge.expert * (refunded + amount_minor) // payment.charged_minor - taken
    # A refund that failed in between can leave the sum one off; neither side ever gives more than it got.
    platform_left = charge.platform - (refunded - taken)
    return min(max(part, amount_minor - platform_left, 0), charge.expert - taken, amount_minor)


def _parts(payment: Payment, standing: list[Refund], amount_minor: int) -> list[dict[str, str | int]]:
    """Return from which captured holds the amount comes, in their order."""
    given: dict[str, int] = {}
    for other in standing:
        for part in other.parts:
            given[part["hold"]] = given.get(part["hold"], 0) + part["amount_minor"]
    parts: list[dict[str, str | int]] = []
    for hold in payment.holds.filter(state=Hold.State.CAPTURED).order_by("sequence"):
        amount = min(amount_minor, hold.captured_minor - given.get(str(hold.pk), 0))
        if amount > 0:
            parts.append({"hold": str(hold.pk), "amount_minor": amount, "ref": ""})
            amount_minor -= amount
    if amount_minor:
        raise RefundRefused("The captured holds do not add up to the charge. Tell an engineer; nothing was given back.")
    return parts


def carry_out(made: Refund) -> Refund:
    """Do what a pending refund says, from wherever it stopped. Returns it as it is then."""
    made = Refund.objects.select_related("payment__payer", "payment__payee", "by").get(pk=made.pk)
    if made.state != Refund.State.PENDING:
        return made
    recount(made.payment)
    holds = {str(hold.pk): hold for hold in made.payment.holds.select_related("card")}
    parts: list[dict[str, str | int]] = []
    for part in made.parts:
        hold = holds[part["hold"]]
        try:
            answer = gateway(hold.gateway).refund(
                key=f"refund:{made.pk}:{hold.sequence}", ref=hold.gateway_ref, amount_minor=part["amount_minor"]
            )
        except GatewayRefused as refusal:
            if parts:  # half of it is done: operators must look, so it stays pending and loud
                raise
            return _failed(made, refusal.sentence)
        parts.append({**part, "ref": answer.ref, "state": answer.state})
    _book(made)
    won = Refund.objects.filter(pk=made.pk, state=Refund.State.PENDING).update(state=Refund.State.SUCCEEDED, parts=parts)
    made.refresh_from_db()
    recount(made.payment)
    if won:
        signals.payment_refunded.send_robust(sender=Refund, refund=made)
    return made


def heal_refunds(now: datetime) -> None:
    """Finish refunds that were left pending more than a minute before `now` (UTC)."""
    for left in list(Refund.objects.filter(state=Refund.State.PENDING, created_at__lt=now - timedelta(minutes=1))):
        try:
            carry_out(left)
        except GatewayError:
            logger.exception("Refund %s stays pending; the others are looked after", left.pk)
    # A crash between "failed" and the new sum left the sum too high.
    for failed in Refund.objects.filter(state=Refund.State.FAILED, created_at__gt=now - timedelta(days=1)):
        recount(failed.payment)


def recount(payment: Payment) -> None:
    """Bring the payment's refunded sum in line with its refunds' rows, and the given object with it."""
    while True:
        payment.refresh_from_db(fields=["refunded_minor"])
        standing = payment.refunds.exclude(state=Refund.State.FAILED).aggregate(total=Sum("amount_minor"))["total"] or 0
        if standing == payment.refunded_minor:
            return
        # Only over the figure we read: somebody else's newer sum is looked at again.
        Payment.objects.filter(pk=payment.pk, refunded_minor=payment.refunded_minor).update(refunded_minor=standing)


def _failed(made: Refund, sentence: str) -> Refund:
    Refund.objects.filter(pk=made.pk, state=Refund.State.PENDING).update(state=Refund.State.FAILED, problem=sentence[:200])
    recount(made.payment)
    made.refresh_from_db()
    return made


def _book(made: Refund) -> None:
    payment = made.payment
    ledger.post(
        key=f"refund:{made.pk}",
        kind=Posting.Kind.REFUND,
        currency=payment.currency,
        payment=payment,
        customer_user=payment.payer,
        expert_user=payment.payee,
        customer=made.amount_minor,
        expert=-made.expert_minor,
        platform=-(made.amount_minor - made.expert_minor),
    )
