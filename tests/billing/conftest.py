"""People, cards and the ways money moves, for the tests of billing."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from accounts.models import ExpertProfile, User
from billing import cards, holds, signals
from billing.capture import capture
from billing.models import Card, Hold, Payment, PayoutAccount
from billing.payout_accounts import open_account
from tests.peers.stripe_stand_in import StripeStandIn


@dataclass
class Told:
    """What billing told outward, in order."""

    placed: list[Hold] = field(default_factory=list)
    charged: list[Payment] = field(default_factory=list)
    refunded: list[Any] = field(default_factory=list)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Listen to billing's signals, alone: these tests have money and no help sessions."""
    heard = Told()

    def on_placed(hold: Hold, **_: Any) -> None:
        heard.placed.append(hold)

    def on_charged(payment: Payment, **_: Any) -> None:
        heard.charged.append(payment)

    def on_refunded(refund: Any, **_: Any) -> None:
        heard.refunded.append(refund)

    listeners = (
        (signals.hold_placed, on_placed),
        (signals.payment_charged, on_charged),
        (signals.payment_refunded, on_refunded),
    )
    for signal, listener in listeners:
        monkeypatch.setattr(signal, "receivers", [])
        signal.connect(listener, weak=False)
    return heard


def person(name: str, **fields: Any) -> User:
    """Return a new user called `name`, who signs in by `client.force_login`."""
    return User.objects.create_user(f"{name.lower()}-{uuid4().hex[:8]}@example.test", display_name=name, **fields)


@pytest.fixture
def at_stripe(stripe_peer: StripeStandIn, settings: Settings, db: None) -> StripeStandIn:
    """Have the real library talk to Stripe's stand-in, as PAYMENTS=stripe does."""
    settings.PAYMENTS = "stripe"
    settings.STRIPE_SECRET_KEY = stripe_peer.environment["STRIPE_SECRET_KEY"]
    settings.STRIPE_WEBHOOK_SECRETS = [stripe_peer.environment["STRIPE_WEBHOOK_SECRETS"]]
    settings.STRIPE_API_BASE = stripe_peer.url
    # Signed for us, and brought to us by the test when it wants.
    stripe_peer.send_webhooks_to("http://127.0.0.1:9/", delivery="held")
    return stripe_peer


@pytest.fixture
def alice(db: None) -> User:
    """A customer."""
    return person("Alice")


@pytest.fixture
def bob(db: None) -> User:
    """Another customer."""
    return person("Bob")


@pytest.fixture
def eve(db: None) -> User:
    """An expert."""
    user = person("Eve")
    ExpertProfile.objects.create(user=user, headline="Postgres, 12 years", state=ExpertProfile.State.APPROVED)
    return user


@pytest.fixture
def olga(db: None) -> User:
    """An operator with every permission."""
    return person("Olga", is_staff=True, is_superuser=True)


def approved_card(owner: User) -> Card:
    return cards.add(owner=owner, gateway_ref="demo_approved", brand="Visa", last4="4242")


def declined_card(owner: User) -> Card:
    return cards.add(owner=owner, gateway_ref="demo_declined", brand="Visa", last4="0002")


def asking_card(owner: User) -> Card:
    return cards.add(owner=owner, gateway_ref="demo_authenticate", brand="Mastercard", last4="3155")


def hold(
    card: Card, amount_minor: int = 3000, reference: UUID | None = None, placed_before: int | None = None
) -> holds.HoldOutcome:
    """Ask for a hold on `card`."""
    return holds.place_hold(
        reference=reference or uuid4(),
        payer=card.owner,
        amount_minor=amount_minor,
        currency="USD",
        description="My query is slow",
        card=card,
        return_url="http://testserver/back/",
        placed_before=placed_before,
    )


def placed(card: Card, amount_minor: int = 3000, reference: UUID | None = None) -> Hold:
    """Ask for a hold that must be placed."""
    outcome = hold(card, amount_minor, reference)
    assert isinstance(outcome, holds.HoldPlaced), outcome
    return outcome.hold


def charged(customer: User, expert: User, amount_minor: int, *held: int) -> Payment:
    """Return a payment that was charged over holds of these amounts (one of exactly the amount where none are given)."""
    reference = uuid4()
    for amount in held or (amount_minor,):
        placed(approved_card(customer), amount, reference)
    payment = capture(reference=reference, payee=expert, amount_minor=amount_minor)
    assert payment.state == Payment.State.CHARGED
    return payment


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Let pages render without the build step that hashes static files."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def account(at_stripe: StripeStandIn, eve: User) -> PayoutAccount:
    """Eve's account at Stripe, ready to be paid to."""
    opened = open_account(owner=eve)
    at_stripe.set_account(opened.gateway_ref, enabled=True)
    PayoutAccount.objects.update(ready=True)
    opened.refresh_from_db()
    return opened
