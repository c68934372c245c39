"""Stripe's webhooks: whose they are, what is kept, and that repeats and order change nothing."""

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from itertools import permutations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from billing import ledger
from billing.gateways.base import GatewayUnavailable
from billing.models import Card, GatewayEvent, Hold, Payment, Refund
from billing.payout_accounts import account_of, open_account
from billing.refund import refund
from billing.tasks import heal, look_into
from tests.billing.at_stripe import at_the_page, charged, deliver
from tests.billing.conftest import Told
from tests.peers.stripe_stand_in import JSON, StripeStandIn

ADDRESS = "/billing/webhooks/stripe/"


def post(client: Client, body: bytes, signature: str) -> int:
    return client.post(ADDRESS, body, content_type="application/json", headers={"Stripe-Signature": signature}).status_code


@pytest.fixture
def event(at_stripe: StripeStandIn, alice: User) -> JSON:
    """Return the event that a hold of Alice's was placed on Stripe's page."""
    at_stripe.pay(at_the_page(alice).url)
    return at_stripe.events("checkout.session.completed")[0]


def test_the_address_is_the_one_in_stripes_settings() -> None:
    assert reverse("stripe_webhook") == ADDRESS


def test_an_event_is_kept_as_it_came_and_answered_at_once(at_stripe: StripeStandIn, event: JSON) -> None:
    body, signature = at_stripe.signed(event)
    assert post(Client(enforce_csrf_checks=True), body, signature) == 200
    kept = GatewayEvent.objects.get()
    assert (kept.event_id, kept.type, kept.handled_at) == (event["id"], "checkout.session.completed", None)
    assert kept.payload == json.loads(body)
    assert Hold.objects.get().state == Hold.State.PENDING  # a job looks into it
    look_into.call_local(str(kept.pk))
    assert Hold.objects.get().state == Hold.State.PLACED
    kept.refresh_from_db()
    assert kept.handled_at is not None


def test_a_repeat_is_answered_and_changes_nothing(at_stripe: StripeStandIn, event: JSON, told: Told) -> None:
    assert deliver(at_stripe, event, event, event) == [200, 200, 200]
    assert GatewayEvent.objects.count() == 1
    assert len(told.placed) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, signature: (body, ""),
        lambda body, signature: (body, "t=1,v1=00"),
        lambda body, signature: (body, "nonsense"),
        lambda body, signature: (body, signature + "é"),
        lambda body, signature: (body.replace(b"checkout", b"checkin"), signature),
        lambda body, signature: (b"", signature),
        lambda body, signature: (b"\xff\xfe", signature),
        lambda body, signature: (body, signature.replace("t=", "t=1")),
    ],
)
def test_what_stripe_did_not_sign_is_refused_and_not_kept(
    at_stripe: StripeStandIn, event: JSON, client: Client, spoil: object
) -> None:
    assert callable(spoil)
    assert post(client, *spoil(*at_stripe.signed(event))) == 400
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "evt_\\ud800", "type": "t", "data": {"object": {"object": "o"}}}',
        '{"id": "evt_1", "type": "\\udfff", "data": {"object": {"object": "o"}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "\\ud800": 1}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": "a\\u0000b"}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": NaN}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": 1e999}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": -Infinity}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": ' + "9" * 5000 + "}}}",
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": ' + "[" * 500 + "]" * 500 + "}}}",
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "x": ' + '{"a":' * 500 + "1" + "}" * 501 + "}}",
        "[" * 100_000 + "]" * 100_000,
        '{"id": null, "type": "t", "data": {"object": {"object": "o"}}}',
        '{"id": "", "type": "t", "data": {"object": {"object": "o"}}}',
        '{"id": {}, "type": "t", "data": {"object": {"object": "o"}}}',
        '{"id": "' + "e" * 101 + '", "type": "t", "data": {"object": {"object": "o"}}}',
        '{"id": "evt_1", "type": 1, "data": {"object": {"object": "o"}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": []}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": {"object": "o", "metadata": "m"}}}',
        '{"id": "evt_1", "type": "t", "data": {"object": "o"}}',
        '{"id": "evt_1", "type": "t", "data": []}',
        "null",
        "7",
        "{",
        "",
    ],
)  # fmt: skip
def test_what_is_signed_and_is_no_event_is_refused_in_a_sentence(
    settings: Settings, client: Client, body: str, db: None
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_test"]
    moment = int(timezone.now().timestamp())
    mac = hmac.new(b"whsec_test", f"{moment}.{body}".encode(), sha256).hexdigest()
    signature = f"t={moment},v1={mac}"
    answer = client.post(ADDRESS, body, content_type="application/json", headers={"Stripe-Signature": signature})
    assert (answer.status_code, answer.json()) == (400, {"error": "This is no event."})
    assert not GatewayEvent.objects.exists()


def test_a_signature_of_long_ago_is_refused(at_stripe: StripeStandIn, event: JSON, client: Client) -> None:
    body, signature = at_stripe.signed(event)
    then = signature.split(",")[0]
    assert post(client, body, signature.replace(then, "t=1700000000")) == 400


def test_the_secret_of_connected_accounts_counts_too(
    at_stripe: StripeStandIn, event: JSON, client: Client, settings: Settings
) -> None:
    at_stripe.send_webhooks_to("http://127.0.0.1:9/", secret="whsec_connect", delivery="held")
    assert post(client, *at_stripe.signed(event)) == 400
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_other", "whsec_connect"]
    assert post(client, *at_stripe.signed(event)) == 200


def test_without_secrets_there_is_no_such_address(client: Client, db: None) -> None:
    assert client.post(ADDRESS).status_code == 404


def test_only_post_is_taken(at_stripe: StripeStandIn, client: Client) -> None:
    assert client.get(ADDRESS).status_code == 405


def test_an_unknown_kind_is_kept_and_ignored(at_stripe: StripeStandIn, event: JSON) -> None:
    other = at_stripe.events("payment_method.attached")[0]
    assert deliver(at_stripe, other) == [200]
    kept = GatewayEvent.objects.get()
    assert kept.outcome == "nothing of ours"
    assert kept.handled_at is not None


def test_an_event_about_somebody_elses_money_is_kept_and_ignored(at_stripe: StripeStandIn, event: JSON) -> None:
    Hold.objects.all().delete()
    deliver(at_stripe, *at_stripe.events("checkout.session.completed", "payment_intent.amount_capturable_updated"))
    assert set(GatewayEvent.objects.values_list("outcome", flat=True)) == {"nothing of ours"}


def test_an_event_nobody_could_look_into_is_looked_into_by_the_sweep(at_stripe: StripeStandIn, event: JSON) -> None:
    body, signature = at_stripe.signed(event)
    post(Client(), body, signature)
    at_stripe.fail("GET", "/v1/checkout/sessions/.*", status=503, times=2)
    with pytest.raises(GatewayUnavailable):
        look_into.call_local(str(GatewayEvent.objects.get().pk))
    assert GatewayEvent.objects.get().handled_at is None
    heal(timezone.now() + timedelta(minutes=2))
    assert GatewayEvent.objects.get().handled_at is not None
    assert Hold.objects.get().state == Hold.State.PLACED


def story(peer: StripeStandIn, alice: User, eve: User, olga: User) -> Payment:
    """Charge two holds, refund a part, have the rest disputed and won, and take nothing in that Stripe tells of it."""
    payment = charged(peer, alice, eve, 4000, 3000, 1500)
    refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    opened = peer.open_dispute(payment.holds.get(sequence=2).gateway_ref)
    peer.set_dispute(opened["id"], "won")
    return payment


def test_the_whole_story_told_backwards_twice_comes_to_the_same(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, told: Told
) -> None:
    payment = story(at_stripe, alice, eve, olga)
    events = at_stripe.events()
    assert len(events) > 10
    assert set(deliver(at_stripe, *reversed(events), *events)) == {200}
    payment.refresh_from_db()
    assert (payment.charged_minor, payment.refunded_minor, payment.disputed_minor) == (4000, 1000, 0)
    assert ledger.balance(eve) == {"USD": 2400}
    assert Refund.objects.count() == 1
    assert len(told.charged) == len(told.refunded) == 1
    assert not GatewayEvent.objects.filter(handled_at=None).exists()


def test_what_stripe_says_of_an_account_in_every_order(at_stripe: StripeStandIn, eve: User) -> None:
    account = open_account(owner=eve)
    at_stripe.set_account(account.gateway_ref, enabled=True)
    at_stripe.set_account(account.gateway_ref, enabled=False, disabled_reason="requirements.past_due")
    at_stripe.set_account(account.gateway_ref, enabled=True)
    events = at_stripe.events("account.updated")
    assert len(events) >= 3
    for order in permutations(events[:3]):
        deliver(at_stripe, *order)
        found = account_of(eve)
        assert found is not None
        assert found.ready
    assert not Card.objects.exists()
