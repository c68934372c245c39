"""Giving charged money back, wholly or in part, with who did it and why."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.permissions import refund_limit
from billing import ledger, signals
from billing.gateways import gateway
from billing.gateways.base import GatewayError, GatewayRefused, GatewayUnavailable, RefundEntry
from billing.healing import heal_each
from billing.models import Dispute, Hold, Payment, Posting, Refund
from billing.returned import Returned, expert_part, recount, returned_of
from hopps.each import look_after
from hopps.errors import Refused
from hopps.money import format_money

logger = logging.getLogger(__name__)

Part = dict[str, Any]
State = Refund.State

OUTSIDE = "Refunded at the payment service."


class RefundRefused(Refused):
    """This cannot be given back; `sentence` says why."""


def refund(*, payment: Payment, amount_minor: int, reason: str, by: User | None, refund_id: UUID | None = None) -> Refund:
    """Give `amount_minor` of a charge back. All refunds together never exceed the charge, whoever else refunds meanwhile.

    Args:
        payment: a charged one.
        amount_minor: what to give back, in minor units of the payment's currency.
        reason: for the customer and for the books.
        by: the operator, whose limit holds (`accounts.permissions`); None for a rule of the system.
        refund_id: the new refund's id; a form sent twice with the same one refunds once.

    Returns:
        The refund: SUCCEEDED, or PENDING where the processor did not answer (the sweep goes on) or the bank takes its time
        (the processor tells us).

    Raises:
        RefundRefused: too much, more than this operator may give back, nothing charged, no reason, or the processor said
            no.
    """
    if not reason.strip():
        raise RefundRefused("Say why: the customer reads it on the receipt.")
    made = _reserve(payment, amount_minor, reason.strip()[:300], by, refund_id or uuid4())
    try:
        made = carry_out(made)
    except GatewayError:
        logger.exception("Refund %s is written down and will be tried again", made.pk)
    if made.state == State.FAILED:
        raise RefundRefused(made.problem)
    return made


def most_of(*, payment: Payment, by: User) -> int:
    """Return the most that the operator `by` may give back of `payment` now, in minor units of its currency."""
    limit = _limit_left(list(Refund.objects.filter(payment=payment).select_related("by")), by)
    return payment.refundable_minor if limit is None else min(payment.refundable_minor, limit)


def check_limit(*, payment: Payment, amount_minor: int, by: User) -> None:
    """Raise RefundRefused where `amount_minor` is more than the operator `by` may give back of `payment`.

    `refund` asks too, and its answer counts; this is for who does something else before.
    """
    _check_limit(payment, list(Refund.objects.filter(payment=payment).select_related("by")), amount_minor, by)


def carry_out(made: Refund) -> Refund:
    """Do what a pending refund says, from wherever it stopped, and follow what was asked. Returns it as it is then.

    Raises:
        GatewayUnavailable: the processor did not answer; the next call or the sweep goes on from there.
    """
    made = _read(made.pk)
    # First, for what a crash after the last write left: the sum.
    recount(made.payment)
    if made.state == State.FAILED:
        return made
    holds = {str(hold.pk): hold for hold in made.payment.holds.select_related("card")}
    parts: list[Part] = []
    for part in made.parts:
        if part.get("state") == "failed" and not part["ref"]:
            # Refused, booked back and told: it is never asked for again.
            parts.append(part)
            continue
        hold = holds[part["hold"]]
        processor = gateway(hold.gateway)
        try:
            if part["ref"]:
                answer = processor.refund_state(part["ref"])
            else:
                key = f"refund:{made.pk}:{hold.sequence}"
                answer = processor.refund(key=key, ref=hold.gateway_ref, amount_minor=part["amount_minor"])
        except GatewayRefused as refusal:
            if part["ref"]:
                # It was made; that it cannot be seen now does not say that it failed. reconcile tells operators.
                logger.error("Refund %s, %s cannot be looked at: %s", made.pk, part["ref"], refusal.in_full)
                parts.append({"state": "pending", **part})
            elif not parts:  # nothing was asked for yet, so nothing is to be undone
                return _never_began(made, refusal.in_full)
            else:
                parts.append({**part, "state": "failed", "problem": refusal.in_full})
        else:
            parts.append({**part, "ref": answer.ref, "state": answer.state, "problem": answer.problem})
    return _write(made, parts)


def adopt(*, entry: RefundEntry, gateway_name: str) -> Refund | None:
    """Write down a refund that was made at the processor itself, so that the books and the receipt have it.

    Returns:
        The refund; None where it failed, or is of no charge of ours.

    Raises:
        GatewayUnavailable: our own charge is not written down yet; ask again later.
    """
    hold = Hold.objects.filter(gateway=gateway_name, gateway_ref=entry.hold_ref).select_related("payment").first()
    if hold is None or entry.state == "failed":
        return None
    if hold.payment.state != Payment.State.CHARGED:
        raise GatewayUnavailable("Our own charge is not written down yet.")
    refund_id = _adopted_id(entry.ref, gateway_name)
    part = {"hold": str(hold.pk), "amount_minor": entry.amount_minor, "ref": entry.ref, "state": entry.state}
    while True:
        earlier = list(Refund.objects.filter(payment=hold.payment).order_by("sequence"))
        found = next((other for other in earlier if other.pk == refund_id), None)
        if found is not None:
            return carry_out(found)
        try:
            with transaction.atomic():
                made = Refund.objects.create(
                    pk=refund_id,
                    payment=hold.payment,
                    sequence=earlier[-1].sequence + 1 if earlier else 1,
                    amount_minor=entry.amount_minor,
                    # Ours that were not asked for yet may be refused because of this one: they do not count.
                    expert_minor=expert_part(hold.payment, returned_of(hold.payment, asked=True), entry.amount_minor),
                    parts=[part],
                    reason=OUTSIDE,
                )
        except IntegrityError:  # another refund came first: look again
            continue
        return carry_out(made)


def adopted(ref: str, gateway_name: str) -> Refund | None:
    """Return the row of a refund that was made at the processor itself, where `adopt` wrote one."""
    return Refund.objects.filter(pk=_adopted_id(ref, gateway_name)).first()


def _adopted_id(ref: str, gateway_name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"{gateway_name}:{ref}")


def heal_refunds(now: datetime) -> None:
    """Finish refunds that were left unasked more than a minute before `now` (UTC), and the sums of those that ended.

    A refund the bank takes its time for is followed by webhooks and by reconcile, not from minute to minute.
    """
    unasked = Refund.objects.filter(state=State.PENDING, revision=0, created_at__lt=now - timedelta(minutes=1))
    heal_each(unasked, carry_out, name="Refund")
    # A crash between a state and the new sum left the sum wrong. What ends later is told by an event, which is looked into
    # until that is done.
    ended = Refund.objects.filter(created_at__gt=now - timedelta(hours=1)).exclude(state=State.PENDING)
    look_after(ended.select_related("payment"), lambda made: recount(made.payment), name="Refund")


def _read(pk: UUID) -> Refund:
    return Refund.objects.select_related("payment__payer", "payment__payee", "by").get(pk=pk)


def _reserve(payment: Payment, amount_minor: int, reason: str, by: User | None, refund_id: UUID) -> Refund:
    """Write the refund down. The insert decides: its number can be taken once, so the sums read before it still hold."""
    while True:
        payment = Payment.objects.get(pk=payment.pk)
        if Refund.objects.filter(pk=refund_id).exclude(payment=payment).exists():
            raise RefundRefused("This form belongs to another payment. Open it again from this payment's page.")
        earlier = list(Refund.objects.filter(payment=payment).select_related("by").order_by("sequence"))
        for other in earlier:
            if other.pk == refund_id:
                return other
        returned = returned_of(payment)
        _check(payment, returned, amount_minor)
        _check_limit(payment, earlier, amount_minor, by)
        try:
            with transaction.atomic():
                return Refund.objects.create(
                    pk=refund_id,
                    payment=payment,
                    sequence=earlier[-1].sequence + 1 if earlier else 1,
                    amount_minor=amount_minor,
                    expert_minor=expert_part(payment, returned, amount_minor),
                    parts=_parts(payment, earlier, amount_minor),
                    reason=reason,
                    by=by,
                )
        except IntegrityError:  # another refund came first: look again
            continue


def _check(payment: Payment, returned: Returned, amount_minor: int) -> None:
    if payment.state != Payment.State.CHARGED:
        raise RefundRefused("Nothing was charged here, so nothing can be given back.")
    if amount_minor < 1:
        raise RefundRefused("Give back at least the smallest coin.")
    left = payment.charged_minor - returned.total_minor
    if amount_minor > left:
        if left <= 0:
            raise RefundRefused("All of this charge was given back already.")
        raise RefundRefused(f"Only {format_money(left, payment.currency)} of this charge is left to give back.")


def _check_limit(payment: Payment, earlier: list[Refund], amount_minor: int, by: User | None) -> None:
    left = None if by is None else _limit_left(earlier, by)
    if left is None or amount_minor <= left:
        return
    if left:
        raise RefundRefused(
            f"You may give back {format_money(left, payment.currency)} of this payment. Ask a manager to give back more."
        )
    raise RefundRefused("You may give back no more of this payment. Ask a manager to do it.")


def _limit_left(earlier: list[Refund], by: User) -> int | None:
    """Return what `by` may still give back of a payment with these refunds, in minor units; None: they have no limit."""
    limit = refund_limit(by)
    if limit is None:
        return None
    with_limit = {other.by_id for other in earlier if other.by is not None and refund_limit(other.by) is not None}
    given = sum(
        other.amount_minor - other.failed_minor
        for other in earlier
        if other.by_id in with_limit and other.state != State.FAILED
    )
    return max(0, limit - given)


def _parts(payment: Payment, earlier: list[Refund], amount_minor: int) -> list[Part]:
    """Return from which captured holds the amount comes, in their order."""
    given: dict[str, int] = {}
    for other in earlier:
        for part in other.parts:
            if other.state != State.FAILED and part.get("state") != "failed":
                given[part["hold"]] = given.get(part["hold"], 0) + part["amount_minor"]
    for dispute in payment.disputes.filter(state__in=Dispute.TAKEN):
        given[str(dispute.hold_id)] = given.get(str(dispute.hold_id), 0) + dispute.amount_minor
    parts: list[Part] = []
    for hold in payment.holds.filter(state=Hold.State.CAPTURED).order_by("sequence"):
        amount = min(amount_minor, hold.captured_minor - given.get(str(hold.pk), 0))
        if amount > 0:
            parts.append({"hold": str(hold.pk), "amount_minor": amount, "ref": ""})
            amount_minor -= amount
    if amount_minor:
        raise RefundRefused("The captured holds do not add up to the charge. Tell an engineer; nothing was given back.")
    return parts


def _never_began(made: Refund, sentence: str) -> Refund:
    Refund.objects.filter(pk=made.pk, state=State.PENDING, revision=0).update(state=State.FAILED, problem=sentence[:200])
    recount(made.payment)
    return _read(made.pk)


def _write(made: Refund, parts: list[Part]) -> Refund:
    """Book what was asked for, and what came back of it; then write down how it stands, if nobody did meanwhile."""
    shares = _expert_shares(made)
    failed = [index for index, part in enumerate(parts) if part["state"] == "failed"]
    _book(made, f"refund:{made.pk}", made.amount_minor, made.expert_minor)
    for index in failed:
        _book(made, f"refund-failed:{made.pk}:{parts[index]['hold']}", -parts[index]["amount_minor"], -shares[index])
    if len(failed) == len(parts):
        state = State.FAILED
    else:
        state = State.PENDING if any(part["state"] == "pending" for part in parts) else State.SUCCEEDED
    won = Refund.objects.filter(pk=made.pk, revision=made.revision).update(
        state=state,
        parts=parts,
        revision=made.revision + 1,
        failed_minor=sum(parts[index]["amount_minor"] for index in failed),
        expert_failed_minor=sum(shares[index] for index in failed),
        problem=next((str(parts[index].get("problem", "")) for index in failed), "")[:200],
    )
    if not won:  # somebody else wrote: their news may be newer, so look at it again
        return carry_out(made)
    recount(made.payment)
    newly_failed = sum(parts[index]["amount_minor"] for index in failed) > made.failed_minor
    first_answer = made.revision == 0
    made = _read(made.pk)
    if first_answer:
        signals.payment_refunded.send_robust(sender=Refund, refund=made)
    if newly_failed:
        logger.error("Refund %s: the bank did not take %s of it", made.pk, made.failed_minor)
        signals.refund_failed.send_robust(sender=Refund, refund=made)
    return made


def _expert_shares(made: Refund) -> list[int]:
    """Return the expert's part of each part, by its place: the same whichever of them fails, and in whatever order."""
    shares = []
    so_far = taken = 0
    for part in made.parts:
        so_far += part["amount_minor"]
        shares.append(made.expert_minor * so_far // made.amount_minor - taken)
        taken += shares[-1]
    return shares


def _book(made: Refund, key: str, amount_minor: int, expert_minor: int) -> None:
    payment = made.payment
    ledger.post(
        key=key,
        kind=Posting.Kind.REFUND,
        currency=payment.currency,
        payment=payment,
        customer_user=payment.payer,
        expert_user=payment.payee,
        customer=amount_minor,
        expert=-expert_minor,
        platform=-(amount_minor - expert_minor),
    )
