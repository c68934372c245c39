"""Events of the stand-in: signed, delivered at once, held, twice, out of order."""

import pytest
import stripe

from tests.peers.conftest import VERIFIER, Listener, Pay
from tests.peers.stripe_stand_in import StripeStandIn


def test_events_come_signed_and_in_order(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay, listener: Listener
) -> None:
    stripe_peer.send_webhooks_to(listener.url)
    held = hold()
    client.v1.payment_intents.capture(held.id)
    assert [listener.heard() for _ in range(6)] == [
        "payment_method.attached",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def test_held_events_come_when_told_in_any_order_and_twice(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, hold: Pay, listener: Listener
) -> None:
    stripe_peer.send_webhooks_to(listener.url, delivery="held")
    held = hold()
    client.v1.payment_intents.cancel(held.id)
    assert listener.heard_nothing()
    (created,) = stripe_peer.events("payment_intent.created")
    (canceled,) = stripe_peer.events("payment_intent.canceled")
    assert stripe_peer.send(canceled, created, canceled) == [200, 200, 200]
    assert [listener.heard() for _ in range(3)] == [
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.canceled",
    ]
    assert listener.heard_nothing()


def test_an_event_shows_its_object_as_it_was(stripe_peer: StripeStandIn, client: stripe.StripeClient, hold: Pay) -> None:
    held = hold()
    client.v1.payment_intents.cancel(held.id, {}, {"idempotency_key": "cancel-1"})
    (created,) = stripe_peer.events("payment_intent.created")
    (canceled,) = stripe_peer.events("payment_intent.canceled")
    assert created["data"]["object"]["status"] == "requires_confirmation"
    assert canceled["request"]["idempotency_key"] == "cancel-1"
    assert (canceled["api_version"], canceled["livemode"]) == (stripe.api_version, False)


def test_events_are_listed_for_those_who_missed_them(client: stripe.StripeClient, hold: Pay) -> None:
    hold()
    client.v1.customers.create()
    listed = client.v1.events.list({"types": ["payment_intent.created", "customer.created"], "created": {"gte": 1}}).data
    assert [event.type for event in listed] == ["customer.created", "payment_intent.created", "customer.created"]
    assert client.v1.events.retrieve(listed[0].id).type == "customer.created"


def test_a_test_can_post_an_event_itself(stripe_peer: StripeStandIn, customer: str) -> None:
    stripe_peer.send_webhooks_to("http://127.0.0.1:9/", secret="whsec_mine", delivery="held")
    (made,) = stripe_peer.events("customer.created")
    body, signature = stripe_peer.signed(made)
    event = VERIFIER.construct_event(body, signature, "whsec_mine")
    assert (event.id, event.data.object["id"]) == (made["id"], customer)
    with pytest.raises(stripe.SignatureVerificationError):
        VERIFIER.construct_event(body.replace(b"customer", b"costumer"), signature, "whsec_mine")


def test_what_the_listener_answered_is_kept(stripe_peer: StripeStandIn, customer: str, listener: Listener) -> None:
    stripe_peer.send_webhooks_to(listener.url, delivery="held")
    listener.status = 500
    (made,) = stripe_peer.events("customer.created")
    assert stripe_peer.send(made) == [500]
    assert stripe_peer.deliveries() == [{"id": made["id"], "type": "customer.created", "status": 500}]


def test_a_listener_that_is_away_is_tried_again_and_given_up(stripe_peer: StripeStandIn, customer: str) -> None:
    listener = Listener()
    listener.stop()
    stripe_peer.send_webhooks_to(listener.url, delivery="held")
    assert stripe_peer.send(*stripe_peer.events()) == [None]
