"""Charging what a session cost from what is held for it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import User
from billing import cards, ledger, signals
from billing.gateways import gateway
from billing.gateways.base import GatewayError, GatewayRefused
from billing.healing import heal_each
from billing.holds import note_lapse
from billing.models import Hold, Payment, Posting
from billing.release import let_go, release_holds

logger = logging.getLogger(__name__)

State = Payment.State

# How long after each refusal a charge is tried again; after the last one it is given up.
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))


def capture(*, reference: UUID, payee: User, amount_minor: int) -> Payment:
    """Charge `amount_minor` from the holds of a payment, give the rest back and book it. Safe to call again.

    The first call decides the amount; it never exceeds what is held. Under the processor's minimum nothing is charged.
    Afterwards the payment is CHARGED, RELEASED (nothing to charge) or FAILED (the processor refused; `problem` says why,
    and another call, or the sweep with back-off, tries again).

    Args:
        reference: what the payment is for.
        payee: the expert, who gets the share that is not the platform's fee.
        amount_minor: what is due, in minor units of the payment's currency.

    Raises:
        Payment.DoesNotExist: nothing was ever held for `reference`.
        GatewayUnavailable: the processor did not answer; the next call or the sweep goes on from there.
    """
    payment = Payment.objects.get(reference=reference)
    if payment.state == State.OPEN:
        _decide(payment, payee=payee, amount_minor=amount_minor)
    elif payment.state == State.FAILED:
        return try_again(payment=payment)
    return carry_out(payment)


def try_again(*, payment: Payment) -> Payment:
    """Ask once more for a charge that was refused, whatever was said before (operators). Returns it as it is then.

    Raises:
        GatewayUnavailable: the processor did not answer; the sweep goes on from there.
    """
    Payment.objects.filter(pk=payment.pk, state=State.FAILED).update(state=State.CAPTURING, problem="")
    return carry_out(payment)


def carry_out(payment: Payment) -> Payment:
    """Do what was decided for a payment that is no longer open, from wherever it stopped. Returns it as it is then."""
    payment.refresh_from_db()
    if payment.state == State.CAPTURING:
        _take(payment)
        payment.refresh_from_db()
    if payment.state in (State.CHARGED, State.RELEASED):
        try:
            release_holds(payment)
        except GatewayError:
            logger.exception("Payment %s is settled, but a hold of it was not given back yet; the sweep will", payment.pk)
    return payment


def heal_closed(now: datetime) -> None:
    """Go on with payments whose charging or releasing was interrupted, or refused a while before `now` (UTC)."""
    before = now - timedelta(minutes=1)
    Payment.objects.filter(state=State.FAILED, next_try_at__lte=now).update(state=State.CAPTURING, problem="")
    standing = Hold.objects.filter(state__in=[Hold.State.PLACED, Hold.State.PENDING])
    left_over = standing.filter(payment__state__in=[State.CHARGED, State.RELEASED], payment__closed_at__lt=before)
    # Their ids first: in one question MongoDB would look at every payment there is, every minute.
    ids = list(left_over.values_list("payment_id", flat=True))
    stuck = Payment.objects.filter(Q(state=State.CAPTURING, closed_at__lt=before) | Q(pk__in=ids))
    heal_each(stuck, carry_out, name="Payment")
    given_up = Payment.objects.filter(state=State.FAILED, next_try_at=None, attempts__gt=0)
    unfinished = Q(flagged_at=None) | Q(holds__state=Hold.State.CAPTURED)
    heal_each(given_up.filter(unfinished).distinct(), _flag, name="Payment")
    releasing = Hold.objects.filter(state=Hold.State.RELEASING, created_at__lt=before).select_related("card")
    heal_each(releasing, let_go, name="Hold")


def split(due_minor: int, held: Sequence[int], minimum_minor: int) -> list[int]:
    """Share what is due over holds, in their order, each part zero or at least the processor's minimum.

    A last part that would be too small takes what it lacks from the parts before it; where they cannot spare it, it is
    given up in the customer's favour.

    Args:
        due_minor: what to charge.
        held: the amount of each hold, each at least the minimum.
        minimum_minor: the least the processor charges at once.
    """
    rest = min(due_minor, sum(held))
    if rest <= 0:
        return [0] * len(held)
    parts = []
    for amount in held:
        parts.append(min(amount, rest))
        rest -= parts[-1]
    last = max(index for index, part in enumerate(parts) if part)
    lack = minimum_minor - parts[last]
    if lack > 0:
        spare = [max(0, part - minimum_minor) for part in parts[:last]]
        if sum(spare) < lack:
            parts[last] = 0
        else:
            parts[last] += lack
            for index in reversed(range(last)):
                taken = min(spare[index], lack)
                parts[index] -= taken
                lack -= taken
    return parts


def shares(charged_minor: int) -> tuple[int, int]:
    """Return the expert's and the platform's part of a charge; the fee is rounded down and nothing is lost."""
    fee = charged_minor * settings.PLATFORM_FEE_PERCENT // 100
    return charged_minor - fee, fee


def _decide(payment: Payment, *, payee: User, amount_minor: int) -> None:
    """Fix what will be charged, in the one UPDATE that closes the payment. Holds placed later find it closed."""
    # A lapsed hold counts: that the bank let it go does not make the session free.
    holds = list(payment.holds.filter(state__in=[Hold.State.PLACED, Hold.State.LAPSED]).order_by("sequence"))
    due = sum(split(amount_minor, [hold.amount_minor for hold in holds], _minimum(payment, holds)))
    won = Payment.objects.filter(pk=payment.pk, state=State.OPEN).update(
        state=State.CAPTURING if due else State.RELEASED,
        due_minor=due,
        payee=payee,
        tax_name=settings.TAX_NAME[:20] if settings.TAX_BASIS_POINTS else "",
        tax_basis_points=settings.TAX_BASIS_POINTS if settings.TAX_NAME else 0,
        closed_at=timezone.now(),
    )
    if won and not due:
        payment.refresh_from_db()
        signals.payment_charged.send_robust(sender=Payment, payment=payment)


def _take(payment: Payment) -> None:
    """Capture, book, close. Every step is safe to repeat, by two processes at once too."""
    assert payment.due_minor is not None
    kept = [Hold.State.PLACED, Hold.State.CAPTURED, Hold.State.LAPSED]
    holds = list(payment.holds.filter(state__in=kept).select_related("card").order_by("sequence"))
    left = [hold for hold in holds if hold.state != Hold.State.CAPTURED]
    # The same holds in the same order give the same parts: a hold placed after the decision comes last and gets nothing.
    # Lapsed ones come after all others: what still holds may be enough.
    left.sort(key=lambda hold: hold.state == Hold.State.LAPSED)
    rest = payment.due_minor - sum(hold.captured_minor for hold in holds)
    parts = split(rest, [hold.amount_minor for hold in left], _minimum(payment, holds))
    for hold, part in zip(left, parts, strict=True):
        if not part:
            continue
        try:
            gateway(hold.gateway).capture(key=_capture_key(payment, hold), ref=hold.gateway_ref, amount_minor=part)
        except GatewayRefused as refusal:
            logger.error("Payment %s could not be captured: %s", payment.pk, refusal.in_full)
            _refused(payment, hold, refusal.in_full)
            return
        # What is captured is captured, whatever somebody else was about to do with the hold.
        standing = [Hold.State.PLACED, Hold.State.LAPSED, Hold.State.RELEASING]
        Hold.objects.filter(pk=hold.pk, state__in=standing).update(state=Hold.State.CAPTURED, captured_minor=part)
    _close(payment)


def _capture_key(payment: Payment, hold: Hold) -> str:
    # A processor repeats its refusal under the same key, so each try after a refusal has its own. It is safe: a hold can
    # be captured once, under whatever key, and a try that got no answer does not count.
    return f"capture:{hold.pk}" + (f":{payment.attempts}" if payment.attempts else "")


def _refused(payment: Payment, hold: Hold, sentence: str) -> None:
    """Decide what follows a refusal: another try later, or giving up."""
    number = payment.attempts + 1
    hopeless = hold.state == Hold.State.LAPSED or number > len(BACK_OFF)
    if not hopeless:
        with suppress(GatewayError):
            note_lapse(hold)
    won = Payment.objects.filter(pk=payment.pk, state=State.CAPTURING, attempts=payment.attempts).update(
        state=State.FAILED,
        problem=sentence[:200],
        attempts=number,
        next_try_at=None if hopeless else timezone.now() + BACK_OFF[number - 1],
    )
    if won and hopeless:
        _flag(payment)


def _flag(payment: Payment) -> None:
    """Give a charge up: operators and the customer are told, the card is not asked again, what could be had is charged."""
    payment.refresh_from_db()
    for hold in payment.holds.filter(state__in=[Hold.State.PLACED, Hold.State.LAPSED]).select_related("card__owner"):
        if hold.card is not None:
            cards.mark_failed(card=hold.card)
    given_up = Payment.objects.filter(pk=payment.pk, state=State.FAILED, attempts=payment.attempts, next_try_at=None)
    if given_up.filter(flagged_at=None).update(flagged_at=timezone.now()):
        payment.refresh_from_db()
        signals.payment_flagged.send_robust(sender=Payment, payment=payment)
    had = captured_minor(payment)
    # From here on it is a charge like any other, of less. An operator who tries again at this moment loses to it, or wins.
    if had and given_up.update(state=State.CAPTURING, due_minor=had):
        payment.refresh_from_db()
        _take(payment)


def _close(payment: Payment) -> None:
    """Book what was captured, and say that it is charged."""
    charged_minor = captured_minor(payment)
    _book(payment, charged_minor)
    won = Payment.objects.filter(pk=payment.pk, state=State.CAPTURING).update(
        state=State.CHARGED, charged_minor=charged_minor, next_try_at=None
    )
    if won:
        payment.refresh_from_db()
        signals.payment_charged.send_robust(sender=Payment, payment=payment)


def captured_minor(payment: Payment) -> int:
    """Return what the holds of a payment gave so far, in minor units."""
    total: int | None = payment.holds.filter(state=Hold.State.CAPTURED).aggregate(total=Sum("captured_minor"))["total"]
    return total or 0


def _book(payment: Payment, charged_minor: int) -> None:
    key = f"charge:{payment.pk}"
    # Booked before: the fee of that day stands, whatever the setting says now.
    if Posting.objects.filter(key=key).exists():
        return
    share, fee = shares(charged_minor)
    ledger.post(
        key=key,
        kind=Posting.Kind.CHARGE,
        currency=payment.currency,
        payment=payment,
        customer_user=payment.payer,
        expert_user=payment.payee,
        customer=-charged_minor,
        expert=share,
        platform=fee,
    )


def _minimum(payment: Payment, holds: Sequence[Hold]) -> int:
    return max((gateway(hold.gateway).minimum_minor(payment.currency) for hold in holds), default=0)
