"""How the stand-in takes requests: keys, violations, and a network that fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.peers.conftest import Pay
from tests.peers.stripe_stand_in import DECLINED, StripeStandIn

CAPTURE = "/v1/payment_intents/[^/]+/capture"


def test_the_same_key_moves_money_once(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    first = client.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, {"idempotency_key": "refund-1"})
    again = client.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, {"idempotency_key": "refund-1"})
    assert again.id == first.id
    assert [replayed(answer) for answer in (first, again)] == [False, True]
    assert len(stripe_peer.books()["refund"]) == 1
    assert [line["replayed"] for line in stripe_peer.requests()[-2:]] == [False, True]


def test_a_key_serves_one_set_of_parameters(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, {"idempotency_key": "refund-1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 200}, {"idempotency_key": "refund-1"})


def test_a_decline_is_kept_under_its_key(stripe_peer: StripeStandIn, client: stripe.StripeClient) -> None:
    method = stripe_peer.save_card(client.v1.customers.create().id, DECLINED)
    asked: Any = {
        "amount": 900,
        "currency": "eur",
        "customer": method["customer"],
        "payment_method": method["id"],
        "payment_method_types": ["card"],
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(asked, {"idempotency_key": "hold-1"})
    assert len(stripe_peer.books()["payment_intent"]) == 1


def test_a_key_in_use_is_refused_until_its_request_is_done(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    def refund() -> stripe.Refund:
        return client.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, {"idempotency_key": "refund-1"})

    stripe_peer.hang("POST", "/v1/refunds")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(refund)
        wait_until(lambda: stripe_peer.requests()[-1]["path"] == "/v1/refunds")
        with pytest.raises(stripe.StripeError) as caught:
            refund()
        assert (caught.value.http_status, code_of(caught.value)) == (409, "idempotency_key_in_use")
        stripe_peer.release()
        assert first.result().id == refund().id


def replayed(answer: stripe.Refund) -> bool:
    assert answer.last_response is not None
    return answer.last_response.headers.get("Idempotent-Replayed") == "true"


def code_of(problem: stripe.StripeError) -> str | None:
    # The SDK does not lift the code out of a 409.
    assert problem.error is not None
    return problem.error.code


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask again until the condition holds; fail after 20 s."""
    pause = threading.Event()
    for _ in range(1000):
        if holds():
            return
        pause.wait(0.02)
    pytest.fail("It did not come true.")


def test_what_stripe_does_not_know_is_refused_and_noted(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay
) -> None:
    held = hold()
    misspelt: Any = {"amount_to_captre": 5}
    with pytest.raises(stripe.InvalidRequestError, match="the parameter amount_to_captre is unknown"):
        client.v1.payment_intents.capture(held.id, misspelt, {"idempotency_key": "capture-1"})
    assert stripe_peer.violations() == [
        "POST /v1/payment_intents/{intent}/capture: the parameter amount_to_captre is unknown."
    ]
    # A request that was not valid did not use up its key.
    assert client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "capture-1"}).status == "succeeded"
    stripe_peer.reset()


def test_metadata_has_its_limits(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="values of up to 500"):
        client.v1.customers.create({"metadata": {"note": "x" * 501}})


def test_another_version_of_the_api_is_refused(client: stripe.StripeClient, stripe_peer: StripeStandIn) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="is for version 2020-08-27"):
        client.v1.customers.create({}, {"stripe_version": "2020-08-27"})
    assert len(stripe_peer.violations()) == 1
    stripe_peer.reset()


@pytest.mark.parametrize("key", ["sk_live_x", "pk_test_x", "rk_x"])
def test_a_key_that_is_not_for_testing_is_refused(stripe_peer: StripeStandIn, key: str) -> None:
    client = stripe.StripeClient(key, base_addresses={"api": stripe_peer.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        client.v1.customers.create()


def test_only_links_to_objects_expand(client: stripe.StripeClient, hold: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.payment_intents.retrieve(hold().id, {"expand": ["status"]})


def test_a_list_expands_each_of_its_objects(client: stripe.StripeClient, hold: Pay) -> None:
    hold()
    listed = client.v1.payment_intents.list({"expand": ["data.latest_charge"]}).data
    assert isinstance(listed[0].latest_charge, stripe.Charge)


def test_an_answer_lost_on_its_way_is_found_again_by_its_key(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay
) -> None:
    held = hold()
    stripe_peer.drop("POST", CAPTURE, done=True)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 5}, {"idempotency_key": "capture-1"})
    assert stripe_peer.books()["payment_intent"][0]["amount_received"] == 5
    again = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 5}, {"idempotency_key": "capture-1"})
    assert (again.status, again.amount_received) == ("succeeded", 5)


def test_a_request_lost_on_its_way_did_nothing(client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay) -> None:
    held = hold()
    stripe_peer.drop("POST", CAPTURE, done=False)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "capture-1"})
    assert stripe_peer.books()["payment_intent"][0]["amount_received"] == 0
    assert client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "capture-1"}).status == "succeeded"


def test_the_sdk_tries_again_by_itself(stripe_peer: StripeStandIn, client: stripe.StripeClient) -> None:
    patient = stripe.StripeClient("sk_test_x", base_addresses={"api": stripe_peer.url}, max_network_retries=2)
    stripe_peer.drop("POST", "/v1/customers", done=True)
    stripe_peer.fail("POST", "/v1/customers", status=503)
    made = patient.v1.customers.create({"email": "ada@hopps.test"})
    assert made.email == "ada@hopps.test"
    assert [event["type"] for event in stripe_peer.events()] == ["customer.created"]


def test_stripe_can_fail_as_often_as_ordered(client: stripe.StripeClient, stripe_peer: StripeStandIn) -> None:
    stripe_peer.fail("GET", "/v1/refunds", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError, match="Something went wrong"):
            client.v1.refunds.list()
    assert client.v1.refunds.list().data == []


def test_a_capture_can_be_refused(client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay) -> None:
    held = hold()
    stripe_peer.refuse_next_capture()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(held.id)
    assert caught.value.code == "charge_expired_for_capture"


def test_many_ask_at_once_and_each_refund_is_counted(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    def refund(_: int) -> bool:
        try:
            client.v1.refunds.create({"payment_intent": paid.id, "amount": 400})
        except stripe.InvalidRequestError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(refund, range(8))) == 2
