"""The contract every gateway keeps. A gateway joins by adding its stand to `stand`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from billing.gateways import gateway
from billing.gateways.base import Declined, Gateway, GatewayRefused, HoldResult, NeedsAction, Placed
from billing.gateways.demo import DemoGateway
from billing.gateways.stripe import StripeGateway
from billing.models import DemoIntent, DemoRefund
from tests.peers.stripe_stand_in import APPROVED, DECLINED, NEEDS_AUTHENTICATION, StripeStandIn


@dataclass
class Stand:
    """A gateway, its test cards, and a way to answer its bank."""

    gateway: Gateway
    approved: str
    declined: str
    authenticate: str
    answer: Callable[[str, bool], object]
    finish_account: Callable[[str, str], object]
    customer_ref: str = ""

    def hold(self, card: str | None = None, *, amount_minor: int = 3000, key: str | None = None) -> HoldResult:
        return self.gateway.place_hold(
            key=key or new_key(),
            card_ref=card or self.approved,
            customer_ref=self.customer_ref,
            amount_minor=amount_minor,
            currency="USD",
            description="My query is slow",
            return_url="https://hopps.test/back/",
        )

    def captured(self, amount_minor: int = 1000) -> str:
        """Return a hold of $30.00 that `amount_minor` was captured from."""
        ref = self.hold().ref
        self.gateway.capture(key=f"capture:{uuid4()}", ref=ref, amount_minor=amount_minor)
        return ref

    def account(self) -> str:
        """Return an account that can be paid to."""
        ref = self.gateway.open_account(key=f"account:{uuid4()}").ref
        self.finish_account(ref, self.gateway.account_page(ref=ref, return_url="https://hopps.test/back/"))
        return ref


def new_key() -> str:
    return f"hold:{uuid4()}"


BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["demo", "stripe"])
def stand(request: pytest.FixtureRequest, db: None) -> Stand:
    match request.param:
        case "demo":
            demo = DemoGateway()
            return Stand(
                demo,
                "demo_approved",
                "demo_declined",
                "demo_authenticate",
                lambda ref, approved: demo.answer(ref, approved=approved),
                lambda ref, page: demo.finish_account(ref),
            )
        case "stripe":
            peer: StripeStandIn = request.getfixturevalue("at_stripe")
            stripe = StripeGateway.from_settings()
            customer = stripe.customer(key=f"customer:{uuid4()}", email="alice@example.test", name="Alice")

            def answer(ref: str, approved: bool) -> None:
                asked = stripe.hold_state(ref)
                assert isinstance(asked, NeedsAction)
                peer.answer_bank(asked.url, approved=approved)

            return Stand(
                stripe,
                peer.save_card(customer, APPROVED)["id"],
                peer.save_card(customer, DECLINED)["id"],
                peer.save_card(customer, NEEDS_AUTHENTICATION)["id"],
                answer,
                lambda ref, page: peer.finish_onboarding(page),
                customer,
            )
        case other:
            raise AssertionError(other)


def test_an_approved_card_is_held_at_once(stand: Stand) -> None:
    result = stand.hold()
    assert isinstance(result, Placed)
    assert stand.gateway.hold_state(result.ref) == result


def test_a_declined_card_answers_with_a_sentence(stand: Stand) -> None:
    result = stand.hold(stand.declined)
    assert isinstance(result, Declined)
    assert result.sentence.endswith(".")


def test_the_same_key_again_gives_the_same_hold(stand: Stand) -> None:
    key = new_key()
    assert stand.hold(key=key) == stand.hold(key=key)


def test_the_same_key_with_other_words_is_refused(stand: Stand) -> None:
    key = new_key()
    stand.hold(key=key)
    with pytest.raises(GatewayRefused):
        stand.hold(key=key, amount_minor=4000)


def test_the_bank_asks_and_the_customer_approves(stand: Stand) -> None:
    asked = stand.hold(stand.authenticate)
    assert isinstance(asked, NeedsAction)
    assert isinstance(stand.gateway.hold_state(asked.ref), NeedsAction)
    stand.answer(asked.ref, True)
    assert isinstance(stand.gateway.hold_state(asked.ref), Placed)


def test_the_bank_asks_and_the_customer_refuses(stand: Stand) -> None:
    asked = stand.hold(stand.authenticate)
    stand.answer(asked.ref, False)
    refused = stand.gateway.hold_state(asked.ref)
    assert isinstance(refused, Declined)
    assert refused.sentence
    with pytest.raises(GatewayRefused):
        stand.gateway.capture(key="c1", ref=asked.ref, amount_minor=100)


def test_nothing_is_captured_before_the_bank_is_satisfied(stand: Stand) -> None:
    asked = stand.hold(stand.authenticate)
    with pytest.raises(GatewayRefused):
        stand.gateway.capture(key="c1", ref=asked.ref, amount_minor=100)


def test_a_hold_under_the_minimum_is_refused(stand: Stand) -> None:
    least = stand.gateway.minimum_minor("USD")
    assert least == 50
    with pytest.raises(GatewayRefused):
        stand.hold(amount_minor=least - 1)
    assert isinstance(stand.hold(amount_minor=least), Placed)


def test_a_capture_above_the_hold_is_refused_and_takes_nothing(stand: Stand) -> None:
    ref = stand.hold().ref
    with pytest.raises(GatewayRefused):
        stand.gateway.capture(key="c1", ref=ref, amount_minor=3001)
    stand.gateway.capture(key="c2", ref=ref, amount_minor=3000)


def test_a_capture_under_the_same_key_is_done_once_and_under_another_refused(stand: Stand) -> None:
    ref = stand.hold().ref
    stand.gateway.capture(key="c1", ref=ref, amount_minor=1000)
    stand.gateway.capture(key="c1", ref=ref, amount_minor=1000)
    with pytest.raises(GatewayRefused):
        stand.gateway.capture(key="c2", ref=ref, amount_minor=1000)
    with pytest.raises(GatewayRefused):
        stand.gateway.refund(key="r1", ref=ref, amount_minor=1001)


def test_a_released_hold_cannot_be_captured(stand: Stand) -> None:
    ref = stand.hold().ref
    stand.gateway.release(key="l1", ref=ref)
    assert isinstance(stand.gateway.hold_state(ref), Declined)
    with pytest.raises(GatewayRefused):
        stand.gateway.capture(key="c1", ref=ref, amount_minor=1000)


def test_releasing_again_is_fine_and_a_waiting_hold_can_be_called_off(stand: Stand) -> None:
    ref = stand.hold(stand.authenticate).ref
    stand.gateway.release(key="l1", ref=ref)
    stand.gateway.release(key="l1", ref=ref)
    stand.gateway.release(key="l2", ref=ref)
    assert isinstance(stand.gateway.hold_state(ref), Declined)


def test_a_captured_hold_cannot_be_released(stand: Stand) -> None:
    ref = stand.hold().ref
    stand.gateway.capture(key="c1", ref=ref, amount_minor=1000)
    with pytest.raises(GatewayRefused):
        stand.gateway.release(key="l1", ref=ref)


def test_refunds_stop_at_what_was_captured(stand: Stand) -> None:
    ref = stand.hold().ref
    stand.gateway.capture(key="c1", ref=ref, amount_minor=1000)
    first = stand.gateway.refund(key="r1", ref=ref, amount_minor=600)
    assert stand.gateway.refund(key="r1", ref=ref, amount_minor=600) == first
    with pytest.raises(GatewayRefused):
        stand.gateway.refund(key="r2", ref=ref, amount_minor=401)
    assert stand.gateway.refund(key="r3", ref=ref, amount_minor=400) != first
    with pytest.raises(GatewayRefused):
        stand.gateway.refund(key="r1", ref=ref, amount_minor=601)


def test_what_was_not_captured_cannot_be_refunded(stand: Stand) -> None:
    with pytest.raises(GatewayRefused):
        stand.gateway.refund(key="r1", ref=stand.hold().ref, amount_minor=1)


@pytest.mark.parametrize("ref", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_hold_is_refused(stand: Stand, ref: str) -> None:
    with pytest.raises(GatewayRefused):
        stand.gateway.hold_state(ref)
    with pytest.raises(GatewayRefused):
        stand.gateway.release(key="l1", ref=ref)


def test_a_refund_can_be_asked_about(stand: Stand) -> None:
    made = stand.gateway.refund(key="r1", ref=stand.captured(), amount_minor=400)
    assert made.state == "succeeded"
    assert stand.gateway.refund_state(made.ref) == made
    for unknown in ("", "nonsense", "re_nonsense"):
        with pytest.raises(GatewayRefused):
            stand.gateway.refund_state(unknown)


def test_the_same_payout_account_is_opened_once_and_is_ready_after_its_page(stand: Stand) -> None:
    opened = stand.gateway.open_account(key="account:1")
    assert not opened.ready
    assert stand.gateway.open_account(key="account:1") == opened
    with pytest.raises(GatewayRefused):
        stand.gateway.transfer(key="payout:1", account_ref=opened.ref, amount_minor=100, currency="USD")
    stand.finish_account(opened.ref, stand.gateway.account_page(ref=opened.ref, return_url="https://hopps.test/back/"))
    assert stand.gateway.account_state(opened.ref).ready


def test_a_payout_under_the_same_key_is_paid_once(stand: Stand) -> None:
    account = stand.account()
    paid = stand.gateway.transfer(key="payout:1", account_ref=account, amount_minor=800, currency="USD")
    again = stand.gateway.transfer(key="payout:1", account_ref=account, amount_minor=800, currency="USD")
    assert paid == again
    assert (paid.key, paid.amount_minor, paid.reversed_minor, paid.currency) == ("payout:1", 800, 0, "USD")
    assert stand.gateway.transfer_state(paid.ref) == paid
    with pytest.raises(GatewayRefused):
        stand.gateway.transfer(key="payout:1", account_ref=account, amount_minor=801, currency="USD")
    assert [entry.amount_minor for entry in stand.gateway.transfers_since(BEGINNING)] == [800]


def test_the_books_have_every_hold_and_refund_with_its_key(stand: Stand) -> None:
    one, two, three, four = (new_key() for _ in range(4))
    held, waiting = stand.hold(key=one).ref, stand.hold(stand.authenticate, key=two).ref
    captured, released = stand.hold(key=three).ref, stand.hold(key=four).ref
    stand.gateway.capture(key="c1", ref=captured, amount_minor=1000)
    stand.gateway.release(key="l1", ref=released)
    made = stand.gateway.refund(key="refund:1", ref=captured, amount_minor=400)
    entries = {entry.key: (entry.ref, entry.state, entry.captured_minor) for entry in stand.gateway.holds_since(BEGINNING)}
    assert entries == {
        one: (held, "held", 0),
        two: (waiting, "waiting", 0),
        three: (captured, "captured", 1000),
        four: (released, "over", 0),
    }
    refunds = list(stand.gateway.refunds_since(BEGINNING))
    assert [(entry.key, entry.ref, entry.hold_ref, entry.amount_minor) for entry in refunds] == [
        ("refund:1", made.ref, captured, 400)
    ]
    assert stand.gateway.refund_entry(made.ref) == refunds[0]


def test_the_demo_books_keep_one_row_for_one_key(db: None) -> None:
    demo = DemoGateway()
    ref = ""
    for _ in range(3):
        result = demo.place_hold(
            key="hold:1", card_ref="demo_approved", amount_minor=900, currency="USD", description="", return_url=""
        )
        ref = result.ref
        demo.capture(key="c1", ref=ref, amount_minor=900)
        demo.refund(key="r1", ref=ref, amount_minor=100)
    assert DemoIntent.objects.get().captured_minor == 900
    assert DemoRefund.objects.get().amount_minor == 100


def test_an_unknown_gateway_is_a_clear_error(settings: Settings) -> None:
    settings.PAYMENTS = "barter"
    with pytest.raises(ImproperlyConfigured, match="barter"):
        gateway()
