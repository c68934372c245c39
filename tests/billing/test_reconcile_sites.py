"""Two sites with one Stripe account, as two developers have with one test key: neither touches what the other made."""

import pytest
from pytest_django import Settings

from accounts.models import User
from billing.gateways.stripe import StripeGateway
from billing.models import Dispute, GatewayCustomer, Hold, Payment, Payout, PayoutAccount, Posting, Refund
from billing.refund import refund
from tests.billing.at_stripe import at_the_page, charged, intents, placed, stripe_card
from tests.billing.comparing import compare, only, paid, sentences
from tests.peers.stripe_stand_in import StripeStandIn

OURS = "https://hopps.example.test"
THEIRS = "https://next-door.example.test"


@pytest.fixture(autouse=True)
def ours(settings: Settings) -> None:
    """Be this site, until a test says otherwise."""
    settings.PUBLIC_URL = OURS


def forget_everything() -> None:
    """Leave Stripe's books alone, and have no row: as the site next door sees them."""
    Posting.objects.all()._raw_delete("default")
    for model in (Dispute, Refund, Payout, Hold, Payment, PayoutAccount, GatewayCustomer):
        model._default_manager.all().delete()


def test_what_another_site_made_is_none_of_our_business(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount, settings: Settings
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    refund(payment=payment, amount_minor=100, reason="r", by=olga)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 100)
    paid(eve)
    at_stripe.open_dispute(charged(at_stripe, alice, eve, 1000).holds.get().gateway_ref)
    placed(stripe_card(at_stripe, alice))
    at_stripe.pay(at_the_page(alice).url)
    forget_everything()
    before = intents(at_stripe)
    assert ("requires_capture", 0) in before
    settings.PUBLIC_URL = THEIRS
    assert sentences() == []
    assert intents(at_stripe) == before
    # To the site that made them they are orphans, as after a restored backup.
    settings.PUBLIC_URL = OURS
    assert len([one for one in sentences() if "for a hold we have no row of. Repaired." in one]) == 2


def test_what_names_no_site_is_still_compared(at_stripe: StripeStandIn, alice: User) -> None:
    """As what was made by hand on Stripe's own pages, or before sites were named."""
    card = stripe_card(at_stripe, alice)
    StripeGateway.from_settings()._api.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "customer": GatewayCustomer.objects.get().gateway_ref,
            "payment_method": card.gateway_ref,
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
        }
    )
    assert "is none of ours" in only(compare()).what


def test_a_site_that_moved_to_another_address_still_knows_its_own(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount, settings: Settings
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=100, reason="r", by=olga)
    paid(eve)
    settings.PUBLIC_URL = THEIRS
    assert sentences() == []
    at_stripe.set_refund(made.parts[0]["ref"], "failed")
    assert only(compare()).repaired
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 50)
    assert only(compare()).repaired
    at_stripe.open_dispute(payment.holds.get().gateway_ref)
    assert only(compare()).repaired


def test_everything_that_is_made_says_for_which_site(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount
) -> None:
    refund(payment=charged(at_stripe, alice, eve, 1000), amount_minor=100, reason="r", by=olga)
    paid(eve)
    at_stripe.pay(at_the_page(alice).url)
    StripeGateway.from_settings().card_page(
        key="page:1", customer_ref=GatewayCustomer.objects.get().gateway_ref, return_url="https://hopps.example.test/{ref}"
    )
    books = at_stripe.books()
    kinds = ("payment_intent", "checkout.session", "refund", "account", "transfer")
    assert {kind: {made["metadata"].get("hopps_site") for made in books[kind]} for kind in kinds} == {
        kind: {OURS} for kind in kinds
    }
