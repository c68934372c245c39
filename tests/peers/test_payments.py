"""Holds, captures, cancellations and refunds at the stand-in, through the real SDK."""

from collections.abc import Callable

import pytest
import stripe

from tests.peers.conftest import Pay
from tests.peers.stripe_stand_in import DECLINED, NEEDS_AUTHENTICATION, NO_FUNDS, StripeStandIn


def test_a_hold_is_captured_in_part_and_the_rest_let_go(client: stripe.StripeClient, hold: Pay) -> None:
    held = hold(metadata={"help": "7"}, description="Help")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 900, 0)
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 250})
    taken = client.v1.payment_intents.retrieve(held.id, {"expand": ["latest_charge.balance_transaction", "payment_method"]})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 250)
    assert (taken.metadata.to_dict(), taken.description) == ({"help": "7"}, "Help")
    charge = taken.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.amount_captured, charge.captured, charge.refunded) == (250, True, False)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert charge.balance_transaction.amount == 250
    assert isinstance(taken.payment_method, stripe.PaymentMethod)
    assert taken.payment_method.card is not None
    assert taken.payment_method.card.last4 == "4242"


def test_a_capture_cannot_exceed_its_hold(client: stripe.StripeClient, hold: Pay) -> None:
    held = hold()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 901})
    assert (caught.value.code, caught.value.param) == ("amount_too_large", "amount_to_capture")
    assert client.v1.payment_intents.retrieve(held.id).status == "requires_capture"


def test_a_hold_is_captured_once(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(paid.id)
    error = caught.value.error
    assert error is not None
    assert error.payment_intent is not None
    assert (error.code, error.payment_intent.status) == ("payment_intent_unexpected_state", "succeeded")


def test_a_cancelled_hold_says_why_and_takes_nothing(client: stripe.StripeClient, hold: Pay) -> None:
    held = hold()
    gone = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "requested_by_customer", 0)
    assert gone.canceled_at is not None
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.capture(held.id)


def test_what_was_taken_cannot_be_cancelled(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="could not be canceled because it has a status of succeeded"):
        client.v1.payment_intents.cancel(paid.id)


def test_a_hold_lapses(client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay) -> None:
    held = hold()
    stripe_peer.lapse_hold(held.id)
    gone = client.v1.payment_intents.retrieve(held.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "expired")
    assert stripe_peer.events()[-1]["type"] == "payment_intent.canceled"


@pytest.mark.parametrize(("card", "decline_code"), [(DECLINED, "generic_decline"), (NO_FUNDS, "insufficient_funds")])
def test_a_declined_card_says_so_and_keeps_the_attempt(
    client: stripe.StripeClient, hold: Pay, card: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as caught:
        hold(card=card)
    error = caught.value.error
    assert error is not None
    assert error.payment_intent is not None
    assert (caught.value.http_status, error.code, error.decline_code) == (402, "card_declined", decline_code)
    attempt = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert attempt.status == "requires_payment_method"
    assert attempt.last_payment_error is not None
    assert attempt.last_payment_error.decline_code == decline_code


def test_a_card_that_needs_3d_secure_goes_by_the_bank(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay
) -> None:
    held = hold(card=NEEDS_AUTHENTICATION)
    assert held.status == "requires_action"
    assert held.next_action is not None
    assert held.next_action.redirect_to_url is not None
    assert held.next_action.redirect_to_url.url is not None
    bank = held.next_action.redirect_to_url.url
    assert "Approve" in stripe_peer.page(bank).text
    back = stripe_peer.answer_bank(bank, approved=True).location
    assert back is not None
    assert back.startswith(
        f"https://hopps.test/back?x=1&payment_intent={held.id}&payment_intent_client_secret={held.id}_secret_"
    )
    assert client.v1.payment_intents.retrieve(held.id).status == "requires_capture"
    assert stripe_peer.answer_bank(bank, approved=True).status == 404


def test_3d_secure_refused_leaves_no_hold(client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay) -> None:
    held = hold(card=NEEDS_AUTHENTICATION)
    assert held.next_action is not None
    assert held.next_action.redirect_to_url is not None
    stripe_peer.answer_bank(held.next_action.redirect_to_url.url or "", approved=False)
    refused = client.v1.payment_intents.retrieve(held.id)
    assert (refused.status, refused.amount_capturable) == ("requires_payment_method", 0)
    assert refused.last_payment_error is not None
    assert refused.last_payment_error.code == "payment_intent_authentication_failure"


def test_3d_secure_is_not_asked_of_a_customer_who_is_away(hold: Pay) -> None:
    with pytest.raises(stripe.CardError) as caught:
        hold(card=NEEDS_AUTHENTICATION, off_session=True)
    assert caught.value.code == "authentication_required"


def test_a_card_of_another_customer_is_refused(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, customer: str
) -> None:
    other = client.v1.customers.create().id
    method = stripe_peer.save_card(other)["id"]
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        client.v1.payment_intents.create({"amount": 900, "currency": "eur", "customer": customer, "payment_method": method})


def test_a_detached_card_pays_no_more(client: stripe.StripeClient, stripe_peer: StripeStandIn, customer: str) -> None:
    method = stripe_peer.save_card(customer)["id"]
    assert client.v1.payment_methods.retrieve(method).customer == customer
    assert client.v1.payment_methods.detach(method).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="detached from a Customer"):
        client.v1.payment_intents.create({"amount": 900, "currency": "eur", "customer": customer, "payment_method": method})


def test_payments_under_the_smallest_are_refused(hold: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        hold(amount=49)
    assert caught.value.code == "amount_too_small"


def test_lists_come_newest_first_a_page_at_a_time(client: stripe.StripeClient, hold: Pay, customer: str) -> None:
    made = [hold().id for _ in range(3)]
    other = client.v1.customers.create().id
    first = client.v1.payment_intents.list({"customer": customer, "limit": 2})
    assert ([each.id for each in first.data], first.has_more) == ([made[2], made[1]], True)
    second = client.v1.payment_intents.list({"customer": customer, "limit": 2, "starting_after": made[1]})
    assert ([each.id for each in second.data], second.has_more) == ([made[0]], False)
    assert [each.id for each in first.auto_paging_iter()] == made[::-1]
    assert client.v1.payment_intents.list({"customer": other}).data == []
    assert client.v1.payment_intents.list({"created": {"gte": first.data[0].created + 3600}}).data == []
    assert len(client.v1.payment_intents.list({"created": {"gte": first.data[0].created - 3600}}).data) == 3


def test_a_refund_is_kept_with_its_reason(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    made = client.v1.refunds.create(
        {"payment_intent": paid.id, "amount": 200, "reason": "requested_by_customer", "metadata": {"refund": "3"}}
    )
    refund = client.v1.refunds.retrieve(made.id, {"expand": ["charge"]})
    assert (refund.amount, refund.status, refund.reason) == (200, "succeeded", "requested_by_customer")
    assert refund.metadata is not None
    assert refund.metadata.to_dict() == {"refund": "3"}
    assert isinstance(refund.charge, stripe.Charge)
    assert refund.charge.amount_refunded == 200
    assert [each.id for each in client.v1.refunds.list({"payment_intent": paid.id, "created": {"gte": 1}}).data] == [made.id]


def test_refunds_never_exceed_what_was_taken(client: stripe.StripeClient, hold: Pay) -> None:
    held = hold()
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 300})
    client.v1.refunds.create({"payment_intent": held.id, "amount": 200})
    with pytest.raises(stripe.InvalidRequestError, match=r"\(101\) is greater than unrefunded amount on charge \(100\)"):
        client.v1.refunds.create({"payment_intent": held.id, "amount": 101})
    assert client.v1.refunds.create({"payment_intent": held.id}).amount == 100
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": held.id})
    assert caught.value.code == "charge_already_refunded"


def test_a_hold_is_not_refunded(client: stripe.StripeClient, hold: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": hold().id})


def test_a_refund_can_take_its_time_and_fail(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    stripe_peer.next_refund_becomes("pending")
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    assert refund.status == "pending"
    stripe_peer.set_refund(refund.id, "failed")
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert [event["type"] for event in stripe_peer.events()][-2:] == ["refund.updated", "refund.failed"]
    # The money is back, and can be refunded again.
    assert client.v1.refunds.create({"payment_intent": paid.id}).amount == 900


def test_an_operator_refunds_on_stripes_own_pages(stripe_peer: StripeStandIn, paid: stripe.PaymentIntent) -> None:
    refund = stripe_peer.dashboard_refund(paid.id, 100)
    assert (refund["amount"], refund["metadata"]) == (100, {})
    assert stripe_peer.books()["refund"] == [refund]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.v1.payment_intents.retrieve("pi_none"),
        lambda client: client.v1.refunds.create({"payment_intent": "pi_none"}),
        lambda client: client.v1.refunds.retrieve("re_none"),
        lambda client: client.v1.payment_methods.retrieve("pm_none"),
        lambda client: client.v1.checkout.sessions.retrieve("cs_none"),
    ],
)
def test_what_is_not_there_is_missing(client: stripe.StripeClient, call: Callable[[stripe.StripeClient], object]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(client)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
