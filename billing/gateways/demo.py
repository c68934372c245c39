"""The demo gateway: a card processor in our own database that moves no money.

It keeps its own books (DemoIntent, DemoRefund) and is as strict as a real one: keys, limits, minimum amounts, a bank page.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse

from billing.gateways.base import Declined, GatewayRefused, HoldResult, NeedsAction, Placed
from billing.models import DemoIntent, DemoRefund
from hopps.money import format_money

State = DemoIntent.State


@dataclass(frozen=True)
class DemoCard:
    """One of the cards this gateway knows."""

    ref: str
    brand: str
    last4: str
    behaviour: str


TEST_CARDS = (
    DemoCard("demo_approved", "Visa", "4242", "always approved"),
    DemoCard("demo_declined", "Visa", "0002", "always declined"),
    DemoCard("demo_authenticate", "Mastercard", "3155", "the bank asks “is this you?” first"),
)

_FIRST_STATE = {"demo_approved": State.HELD, "demo_declined": State.DECLINED, "demo_authenticate": State.NEEDS_ACTION}
_DECLINED = "The bank declined this card. No money was held. Try another card."
_REFUSED_BY_CUSTOMER = "You told the bank this was not you, so nothing was held. Try again, or use another card."
# The least a card can be charged; what Stripe asks for in these currencies.
_MINIMUM = {"USD": 50, "EUR": 50, "CHF": 50, "CAD": 50, "AUD": 50, "GBP": 30, "JPY": 50}


class DemoGateway:
    """Implements `Gateway` over our own tables."""

    name = "demo"

    def minimum_minor(self, currency: str) -> int:
        """Return the least that can be charged in `currency`."""
        return _MINIMUM.get(currency, 50)

    def place_hold(
        self, *, key: str, card_ref: str, amount_minor: int, currency: str, description: str, return_url: str
    ) -> HoldResult:
        """Reserve money. What the card does is known by its number; see TEST_CARDS."""
        if amount_minor < self.minimum_minor(currency):
            raise GatewayRefused(f"The least to hold is {format_money(self.minimum_minor(currency), currency)}.")
        if card_ref not in _FIRST_STATE:
            raise GatewayRefused("There is no such demo card.")
        state = _FIRST_STATE[card_ref]
        intent, _ = DemoIntent.objects.get_or_create(
            key=key,
            defaults={
                "card_ref": card_ref,
                "amount_minor": amount_minor,
                "currency": currency,
                "state": state,
                "problem": _DECLINED if state == State.DECLINED else "",
            },
        )
        if (intent.card_ref, intent.amount_minor, intent.currency) != (card_ref, amount_minor, currency):
            raise GatewayRefused("This key was used for another hold.")
        return _standing(intent)

    def hold_state(self, ref: str) -> HoldResult:
        """Return how a hold stands."""
        return _standing(_intent(ref))

    def answer(self, ref: str, *, approved: bool) -> HoldResult:
        """Do what the customer said on the bank's page. Answered already: the first answer stands."""
        DemoIntent.objects.filter(pk=_intent(ref).pk, state=State.NEEDS_ACTION).update(
            state=State.HELD if approved else State.DECLINED, problem="" if approved else _REFUSED_BY_CUSTOMER
        )
        return self.hold_state(ref)

    def capture(self, *, key: str, ref: str, amount_minor: int) -> None:
        """Take part or all of a hold."""
        intent = _intent(ref)
        if amount_minor < self.minimum_minor(intent.currency):
            raise GatewayRefused("This is less than can be charged.")
        won = DemoIntent.objects.filter(pk=intent.pk, state=State.HELD, amount_minor__gte=amount_minor).update(
            state=State.CAPTURED, captured_minor=amount_minor, capture_key=key
        )
        if won:
            return
        intent.refresh_from_db()
        if intent.state == State.HELD:
            raise GatewayRefused("This is more than is held.")
        if intent.state != State.CAPTURED:
            raise GatewayRefused("Nothing is held here.")
        if (intent.capture_key, intent.captured_minor) != (key, amount_minor):
            raise GatewayRefused("This hold was captured before.")

    def release(self, *, key: str, ref: str) -> None:
        """Give a hold back."""
        intent = _intent(ref)
        DemoIntent.objects.filter(pk=intent.pk, state__in=[State.HELD, State.NEEDS_ACTION]).update(state=State.RELEASED)
        intent.refresh_from_db()
        if intent.state == State.CAPTURED:
            raise GatewayRefused("This hold was captured; it can only be refunded.")

    def refund(self, *, key: str, ref: str, amount_minor: int) -> str:
        """Give captured money back. One insert decides: its number can be taken once, so the sum read before it holds."""
        intent = _intent(ref)
        if amount_minor < 1:
            raise GatewayRefused("A refund is at least one minor unit.")
        while True:
            earlier = DemoRefund.objects.filter(key=key).first()
            if earlier is not None:
                if (earlier.intent_id, earlier.amount_minor) != (intent.pk, amount_minor):
                    raise GatewayRefused("This key was used for another refund.")
                return str(earlier.pk)
            refunds = list(intent.refunds.order_by("sequence"))
            if sum(refund.amount_minor for refund in refunds) + amount_minor > intent.captured_minor:
                raise GatewayRefused("This is more than is left of the charge.")
            sequence = refunds[-1].sequence + 1 if refunds else 1
            try:
                with transaction.atomic():
                    made = DemoRefund.objects.create(key=key, intent=intent, sequence=sequence, amount_minor=amount_minor)
            except IntegrityError:  # another refund came first: look again
                continue
            return str(made.pk)


def _intent(ref: str) -> DemoIntent:
    try:
        return DemoIntent.objects.get(pk=UUID(ref))
    except (ValueError, DemoIntent.DoesNotExist):
        raise GatewayRefused("There is no such hold.") from None


def _standing(intent: DemoIntent) -> HoldResult:
    ref = str(intent.pk)
    match intent.state:
        case State.HELD | State.CAPTURED:
            return Placed(ref)
        case State.NEEDS_ACTION:
            # The key names the hold it serves; the bank's page is found by that.
            return NeedsAction(ref, reverse("demo_bank", args=[intent.key.removeprefix("hold:")]))
        case State.RELEASED:
            return Declined(ref, "This hold was given back.")
        case _:
            return Declined(ref, intent.problem)
