"""What the tests of money at Stripe share: customers there, holds by every way, and webhooks brought to our address."""

from uuid import UUID, uuid4

from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import cards
from billing.capture import capture
from billing.customers import customer_ref
from billing.holds import HoldNeedsAction, HoldOutcome, HoldPlaced, place_hold
from billing.models import Card, GatewayEvent, Hold, Payment
from billing.webhooks import handle
from tests.peers.stripe_stand_in import APPROVED, JSON, StripeStandIn


def stripe_card(peer: StripeStandIn, owner: User, number: str = APPROVED) -> Card:
    """Return a card that `owner` saved before."""
    method = peer.save_card(customer_ref(owner=owner, gateway_name="stripe"), number)
    return cards.add(owner=owner, gateway_ref=method["id"], brand="Visa", last4=number[-4:])


def ask_for_hold(
    payer: User, card: Card | None, amount_minor: int = 3000, reference: UUID | None = None, placed_before: int | None = None
) -> HoldOutcome:
    """Ask for a hold; without a card, on Stripe's page."""
    return place_hold(
        reference=reference or uuid4(),
        payer=payer,
        amount_minor=amount_minor,
        currency="USD",
        description="My query is slow",
        card=card,
        return_url="/sessions/",
        placed_before=placed_before,
    )


def placed(card: Card, amount_minor: int = 3000, reference: UUID | None = None) -> Hold:
    """Return a hold that was placed at once."""
    outcome = ask_for_hold(card.owner, card, amount_minor, reference)
    assert isinstance(outcome, HoldPlaced), outcome
    return outcome.hold


def at_the_page(payer: User, amount_minor: int = 3000, reference: UUID | None = None) -> HoldNeedsAction:
    """Return a hold that waits for the customer on Stripe's page."""
    outcome = ask_for_hold(payer, None, amount_minor, reference)
    assert isinstance(outcome, HoldNeedsAction), outcome
    return outcome


def charged(peer: StripeStandIn, payer: User, payee: User, amount_minor: int, *held: int) -> Payment:
    """Return a payment charged over holds of these amounts (one of exactly the amount where none are given)."""
    card, reference = stripe_card(peer, payer), uuid4()
    for amount in held or (amount_minor,):
        placed(card, amount, reference)
    payment = capture(reference=reference, payee=payee, amount_minor=amount_minor)
    assert payment.state == Payment.State.CHARGED
    return payment


def deliver(peer: StripeStandIn, *events: JSON) -> list[int]:
    """Bring these events to our address, in this order, and look into them as the job does; return the answers' statuses."""
    statuses = []
    for event in events:
        body, signature = peer.signed(event)
        answer = Client().post(
            reverse("stripe_webhook"), body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        statuses.append(answer.status_code)
        for waiting in GatewayEvent.objects.filter(handled_at=None):
            handle(event=waiting)
    return statuses


def intents(peer: StripeStandIn) -> list[tuple[str, int]]:
    """Return state and captured amount of each payment intent in Stripe's books, oldest first."""
    return [(intent["status"], intent["amount_received"]) for intent in peer.books()["payment_intent"]]
