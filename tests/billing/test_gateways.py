"""The contract every gateway keeps. A gateway joins by adding its stand to `stand`."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from billing.gateways import gateway
from billing.gateways.base import Declined, Gateway, GatewayRefused, HoldResult, NeedsAction, Placed
from billing.gateways.demo import DemoGateway
from billing.models import DemoIntent, DemoRefund


@dataclass
class Stand:
    """A gateway, its test cards, and a way to answer its bank."""

    gateway: Gateway
    approved: str
    declined: str
    authenticate: str
    answer: Callable[[str, bool], object]

    def hold(self, card: str | None = None, *, amount_minor: int = 3000, key: str | None = None) -> HoldResult:
        return self.gateway.place_hold(
            key=key or new_key(),
            card_ref=card or self.approved,
            amount_minor=amount_minor,
            currency="USD",
            description="My query is slow",
            return_url="https://hopps.test/back/",
        )


def new_key() -> str:
    return f"hold:{uuid4()}"


@pytest.fixture(params=["demo"])
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
