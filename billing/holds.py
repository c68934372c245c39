"""Reserving money on a card: once for asking, once more for each extension."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing import cards, signals
from billing.customers import customer_ref
from billing.gateways import gateway
from billing.gateways.base import (
    KEYS_KEPT,
    Declined,
    GatewayError,
    GatewayRefused,
    GatewayUnavailable,
    HoldResult,
    NeedsAction,
    Placed,
)
from billing.healing import heal_each
from billing.models import Card, Hold, Payment
from billing.release import let_go
from hopps.http import public_url
from hopps.money import format_money

logger = logging.getLogger(__name__)

# A hold whose processor has not answered for so long was left behind by a crash; a younger one is still being asked for.
IN_FLIGHT = timedelta(minutes=1)
# How long a bank's question may stay unanswered before we call it off.
ABANDONED = timedelta(hours=1)

_OVER = "This is already over, so nothing was held."
_GIVEN_UP = "This try was given up, so nothing was held. Start again."


@dataclass(frozen=True)
class HoldPlaced:
    """The money is reserved."""

    hold: Hold


@dataclass(frozen=True)
class HoldDeclined:
    """Nothing is reserved; `sentence` says why and what to do. `hold` is None where the card was not even asked."""

    hold: Hold | None
    sentence: str


@dataclass(frozen=True)
class HoldNeedsAction:
    """The bank wants to see the customer at `url`; then `finish_hold`."""

    hold: Hold
    url: str


@dataclass(frozen=True)
class HoldInProgress:
    """Another try for the same payment is under way, and only one may be."""

    sentence: str = "An earlier try is still waiting for the bank. Give it a minute, then try again."


HoldOutcome = HoldPlaced | HoldDeclined | HoldNeedsAction | HoldInProgress


def place_hold(
    *,
    reference: UUID,
    payer: User,
    amount_minor: int,
    currency: str,
    description: str,
    card: Card | None,
    return_url: str,
    placed_before: int | None = None,
) -> HoldOutcome:
    """Reserve `amount_minor` on `card` for `reference`. Of two tries at once, one places a hold.

    A try left behind at the bank's page is called off and replaced. Without a card, the customer types one on the
    gateway's page, where there is such a page; the card is saved with the hold.

    Args:
        reference: what the payment is for; one payment each.
        payer: whose card it is.
        amount_minor: what to reserve, in minor units of `currency`.
        description: what the customer reads on receipts; the last one counts.
        card: one of the payer's, or None.
        return_url: the page of ours where the customer goes on when the bank is done.
        placed_before: how many holds the caller knows to be placed. Where there are more by now, the newest of them is
            the answer, so a form sent twice holds once. None always places a further one.

    Raises:
        ValueError: the reference belongs to another payer or another currency.
    """
    if card is not None and (card.owner_id != payer.pk or card.removed_at is not None):
        return HoldDeclined(None, "This card was removed. Choose another one.")
    processor = gateway(card.gateway if card is not None else None)
    if card is None and not processor.hosted:
        return HoldDeclined(None, "Add a card first.")
    least = processor.minimum_minor(currency)
    if amount_minor < least:
        return HoldDeclined(None, f"Cards cannot be charged less than {format_money(least, currency)}. Choose more time.")
    payment, _ = Payment.objects.get_or_create(
        reference=reference, defaults={"payer": payer, "currency": currency, "description": description[:200]}
    )
    if payment.payer_id != payer.pk or payment.currency != currency:
        raise ValueError(f"Payment {payment.pk} has another payer or another currency.")
    if payment.state != Payment.State.OPEN:
        return HoldDeclined(None, _OVER)
    # Words may be changed between two tries; receipts and the bank show those the customer sent last.
    Payment.objects.filter(pk=payment.pk).exclude(description=description[:200]).update(description=description[:200])
    payment.description = description[:200]

    holds = list(payment.holds.select_related("card", "payment__payer").order_by("sequence"))
    placed = [hold for hold in holds if hold.state == Hold.State.PLACED]
    if placed_before is not None and len(placed) > placed_before:
        return HoldPlaced(placed[-1])
    for pending in holds:
        if pending.state == Hold.State.PENDING:
            earlier = _settle_earlier(pending, card=card, amount_minor=amount_minor)
            if earlier is not None:
                return earlier
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                payment=payment,
                # Taken from what was read above: whoever came in between has this number, and we lose here.
                sequence=holds[-1].sequence + 1 if holds else 1,
                gateway=processor.name,
                card=card,
                amount_minor=amount_minor,
                description=description[:200],
                return_url=return_url,
            )
    except IntegrityError:
        return HoldInProgress()
    return _ask(hold)


def finish_hold(*, hold: Hold) -> HoldOutcome:
    """Find out how a hold stands after the customer answered the bank, and write it down. Safe to call again."""
    hold = _read(hold.pk)
    if hold.state != Hold.State.PENDING:
        return _as_written(hold)
    return _ask(hold)


def look_again(*, hold: Hold) -> None:
    """Bring a hold's row in line with the gateway, which told us that something changed. Safe to call again.

    Raises:
        GatewayUnavailable: the gateway did not say how it stands; ask again.
    """
    hold = _read(hold.pk)
    match hold.state:
        case Hold.State.PENDING:
            outcome = _ask(hold)
            if isinstance(outcome, HoldInProgress):
                raise GatewayUnavailable(outcome.sentence)
        case Hold.State.PLACED:
            note_lapse(hold)
        case Hold.State.RELEASING:
            let_go(hold)
        case Hold.State.RELEASED | Hold.State.DECLINED if hold.gateway_ref:
            _give_back_late(hold)


def _give_back_late(hold: Hold) -> None:
    """Give back what was placed on a hold that is over here: the customer paid in the moment its page was closed."""
    result = gateway(hold.gateway).hold_state(hold.gateway_ref)
    if isinstance(result, Placed):
        gateway(hold.gateway).release(key=f"late:{hold.pk}", ref=result.ref)


def note_lapse(hold: Hold) -> bool:
    """Write it down where the gateway no longer holds what we believe to be held; return whether it was so."""
    result = gateway(hold.gateway).hold_state(hold.gateway_ref)
    if not isinstance(result, Declined):
        return False
    placed = Hold.objects.filter(pk=hold.pk, state=Hold.State.PLACED)
    if not placed.update(state=Hold.State.LAPSED, problem=result.sentence[:200]):
        return False
    hold = _read(hold.pk)
    signals.hold_lapsed.send_robust(sender=Hold, payment=hold.payment, hold=hold)
    return True


def heal_pending(now: datetime) -> int:
    """Complete holds that a crash or a closed tab left pending; return how many are no longer.

    Args:
        now: UTC; holds younger than IN_FLIGHT are left alone.
    """
    pending = Hold.objects.filter(state=Hold.State.PENDING, created_at__lt=now - IN_FLIGHT)
    healed = 0

    def complete(hold: Hold) -> None:
        nonlocal healed
        outcome = _ask(hold)
        if isinstance(outcome, HoldNeedsAction) and hold.created_at < now - ABANDONED:
            fresh = _read(hold.pk)
            if fresh.state == Hold.State.PENDING:  # not placed in this very moment
                let_go(fresh)
            outcome = _as_written(_read(hold.pk))
        healed += not isinstance(outcome, HoldNeedsAction | HoldInProgress)

    heal_each(pending.select_related("card", "payment__payer"), complete, name="Hold")
    return healed


def is_held(reference: UUID) -> bool:
    """Return whether money is reserved for `reference` at this moment."""
    return Hold.objects.filter(
        payment__reference=reference, payment__state=Payment.State.OPEN, state=Hold.State.PLACED
    ).exists()


def latest_hold(reference: UUID) -> Hold | None:
    """Return the last try to reserve money for `reference`, however it stands."""
    holds = Hold.objects.filter(payment__reference=reference).select_related("card", "payment")
    return holds.order_by("-sequence").first()


def held_minor(payment: Payment) -> int:
    """Return the sum of a payment's placed holds, in minor units."""
    total: int | None = payment.holds.filter(state=Hold.State.PLACED).aggregate(total=Sum("amount_minor"))["total"]
    return total or 0


def held_so_far(reference: UUID) -> tuple[int, int]:
    """Return how many holds are placed for `reference`, and what was ever held for it in minor units, as of one moment.

    A lapsed hold is no placed one, and what was set aside with it may still be used: the charge asks for it.
    """
    placed = Q(state=Hold.State.PLACED)
    held = Hold.objects.filter(placed | Q(state=Hold.State.LAPSED), payment__reference=reference)
    figures = held.aggregate(count=Count("pk", filter=placed), total=Sum("amount_minor"))
    return figures["count"], figures["total"] or 0


def _read(pk: UUID) -> Hold:
    return Hold.objects.select_related("card", "payment__payer").get(pk=pk)


def _settle_earlier(pending: Hold, *, card: Card | None, amount_minor: int) -> HoldOutcome | None:
    """Clear the way for a new try. Returns the outcome where the earlier try turns out to be the answer."""
    if not pending.gateway_ref and pending.created_at > timezone.now() - IN_FLIGHT:
        return HoldInProgress()
    try:
        result = _result(pending)
        if isinstance(result, Declined):
            _write(pending, result)
            return None
        # Approved at the bank, and the tab closed before we heard: the same hold again would hold the money twice.
        asked_for = (card.pk if card is not None else None, amount_minor)
        if isinstance(result, Placed) and (pending.card_id, pending.amount_minor) == asked_for:
            return _write(pending, result)
        held_at = timezone.now() if isinstance(result, Placed) else None
        Hold.objects.filter(pk=pending.pk, state=Hold.State.PENDING).update(gateway_ref=result.ref, placed_at=held_at)
        pending.gateway_ref = result.ref
        return None if let_go(pending) else HoldInProgress()
    except GatewayError as problem:
        logger.warning("Hold %s is still in the way: %s", pending.pk, problem)
        return HoldInProgress()


def _ask(hold: Hold) -> HoldOutcome:
    """Ask the processor about a pending hold and write the answer down."""
    try:
        return _write(hold, _result(hold))
    except GatewayUnavailable:
        # Done or not, we cannot know: the row stays pending, and the next try or the sweep asks with the same key.
        return HoldInProgress("The payment service did not answer. Give it a minute, then try again.")


def _result(hold: Hold) -> HoldResult:
    """Return how the hold stands at the processor, asking for it where its name is not known yet."""
    processor = gateway(hold.gateway)
    try:
        if hold.gateway_ref:
            return processor.hold_state(hold.gateway_ref)
        if hold.created_at < timezone.now() - KEYS_KEPT:
            # Asking now could hold the money a second time. If it is held, reconcile finds it and gives it back.
            return Declined("", _GIVEN_UP)
        return processor.place_hold(
            key=f"hold:{hold.pk}",
            card_ref=hold.card.gateway_ref if hold.card is not None else None,
            customer_ref=customer_ref(owner=hold.payment.payer, gateway_name=hold.gateway),
            amount_minor=hold.amount_minor,
            currency=hold.payment.currency,
            description=hold.description,
            return_url=public_url(reverse("hold_return", args=[hold.pk])),
        )
    except GatewayRefused as refusal:
        logger.error("Hold %s was refused: %s", hold.pk, refusal.in_full)
        return Declined(hold.gateway_ref, refusal.sentence)


def _write(hold: Hold, result: HoldResult) -> HoldOutcome:
    """Write the processor's answer; one conditional UPDATE decides who does, and only they tell others."""
    pending = Hold.objects.filter(pk=hold.pk, state=Hold.State.PENDING)
    match result:
        case Placed(ref=ref, card=typed):
            card_id = hold.card_id
            if typed is not None and card_id is None:
                # Saved first: what is written twice is found to be there.
                saved = cards.keep(owner=hold.payment.payer, gateway_name=hold.gateway, details=typed)
                card_id = saved.pk
            won = pending.update(state=Hold.State.PLACED, gateway_ref=ref, card=card_id, placed_at=timezone.now())
        case Declined(ref=ref, sentence=sentence):
            won = pending.update(state=Hold.State.DECLINED, gateway_ref=ref, problem=sentence[:200])
        case NeedsAction(ref=ref):
            won = pending.update(gateway_ref=ref)
    hold = _read(hold.pk)
    # Closed while the bank was thinking: who closed it did not see this hold.
    closed = hold.payment.state != Payment.State.OPEN
    if won and closed and isinstance(result, Placed | NeedsAction):
        try:
            let_go(hold)
        except GatewayError as problem:
            logger.warning("Hold %s is given back by the sweep: %s", hold.pk, problem)
        return HoldDeclined(hold, _OVER)
    if won and isinstance(result, NeedsAction):
        return HoldNeedsAction(hold, result.url)
    if won and isinstance(result, Placed):
        signals.hold_placed.send_robust(sender=Hold, payment=hold.payment, hold=hold)
    return _as_written(hold)


def _as_written(hold: Hold) -> HoldOutcome:
    match hold.state:
        case Hold.State.PLACED | Hold.State.CAPTURED:
            return HoldPlaced(hold)
        case Hold.State.PENDING:
            return HoldInProgress()
        case Hold.State.DECLINED:
            return HoldDeclined(hold, hold.problem)
        case _:
            return HoldDeclined(hold, _GIVEN_UP)
