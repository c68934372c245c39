"""The stand-in's hosted Checkout, pressed without a browser."""

from typing import Any

import pytest
import stripe

from tests.peers.stripe_stand_in import DECLINED, NEEDS_AUTHENTICATION, StripeStandIn

SUCCESS = "https://hopps.test/paid/{CHECKOUT_SESSION_ID}"


@pytest.fixture
def session(client: stripe.StripeClient, customer: str) -> stripe.checkout.Session:
    """A session that holds 9.00 EUR and saves the card."""
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": customer,
            "client_reference_id": "hold-7",
            "metadata": {"hold": "7"},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Up to 30 <min>"}},
                }
            ],
            "payment_intent_data": {
                "capture_method": "manual",
                "setup_future_usage": "off_session",
                "metadata": {"hold": "7"},
                "description": "Help",
            },
            "success_url": SUCCESS,
            "cancel_url": "https://hopps.test/ask/",
        }
    )


@pytest.fixture
def setup(client: stripe.StripeClient, customer: str) -> stripe.checkout.Session:
    """A session that saves a card."""
    return client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "eur",
            "customer": customer,
            "success_url": SUCCESS,
            "cancel_url": "https://hopps.test/",
        }
    )


def url(session: stripe.checkout.Session) -> str:
    assert session.url is not None
    return session.url


def test_the_page_says_what_is_held(stripe_peer: StripeStandIn, session: stripe.checkout.Session) -> None:
    shown = stripe_peer.page(url(session))
    assert shown.status == 200
    for text in ("Up to 30 &lt;min&gt;", "9.00 EUR is held", 'name="card"', DECLINED, ">Pay<", ">Back<"):
        assert text in shown.text


def test_paying_places_the_hold_and_saves_the_card(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session, customer: str
) -> None:
    assert session.payment_intent is None
    shown = stripe_peer.pay(url(session))
    assert (shown.status, shown.location) == (303, f"https://hopps.test/paid/{session.id}")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.payment_method"]})
    assert (done.status, done.payment_status, done.client_reference_id) == ("complete", "unpaid", "hold-7")
    intent = done.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_capturable, intent.description) == ("requires_capture", 900, "Help")
    assert intent.metadata.to_dict() == {"hold": "7"}
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    assert intent.payment_method.customer == customer
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 100})
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_declined_card_leaves_the_page_open(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session
) -> None:
    shown = stripe_peer.pay(url(session), DECLINED)
    assert (shown.status, shown.location) == (200, None)
    assert "Your card was declined." in shown.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert stripe_peer.pay(url(session)).status == 303
    # The second try was for the same payment.
    assert len(stripe_peer.books()["payment_intent"]) == 1


@pytest.mark.parametrize("kind", ["session", "setup"])
def test_3d_secure_comes_between(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, request: pytest.FixtureRequest, kind: str
) -> None:
    session: stripe.checkout.Session = request.getfixturevalue(kind)
    refused = stripe_peer.answer_bank(stripe_peer.pay(url(session), NEEDS_AUTHENTICATION).location or "", approved=False)
    assert "unable to authenticate" in stripe_peer.page(refused.location or "").text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    approved = stripe_peer.answer_bank(stripe_peer.pay(url(session), NEEDS_AUTHENTICATION).location or "", approved=True)
    assert approved.location == f"https://hopps.test/paid/{session.id}"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_back_leads_to_the_cancel_address(stripe_peer: StripeStandIn, session: stripe.checkout.Session) -> None:
    assert stripe_peer.go_back(url(session)).location == "https://hopps.test/ask/"


def test_nobody_pays_twice(stripe_peer: StripeStandIn, session: stripe.checkout.Session) -> None:
    stripe_peer.pay(url(session))
    again = stripe_peer.pay(url(session))
    assert (again.status, again.location) == (200, None)
    assert "already paid" in again.text


def test_an_expired_session_takes_no_card(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session
) -> None:
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    assert stripe_peer.pay(url(session)).status == 404
    assert stripe_peer.books()["payment_intent"] == []
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_paid_session_cannot_be_expired(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session
) -> None:
    stripe_peer.pay(url(session))
    with pytest.raises(stripe.InvalidRequestError, match="status of complete"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_session_lapses(client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session) -> None:
    stripe_peer.lapse_checkout(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert stripe_peer.events()[-1]["type"] == "checkout.session.expired"


def test_the_payment_of_an_open_session_is_not_cancelled_behind_it(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, session: stripe.checkout.Session
) -> None:
    stripe_peer.pay(url(session), NEEDS_AUTHENTICATION)
    intent = stripe_peer.books()["payment_intent"][0]["id"]
    with pytest.raises(stripe.InvalidRequestError, match="open Checkout Session"):
        client.v1.payment_intents.cancel(intent)


def test_setup_saves_a_card_without_money(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, setup: stripe.checkout.Session, customer: str
) -> None:
    assert ">Save card<" in stripe_peer.page(url(setup)).text
    assert "was declined" in stripe_peer.pay(url(setup), DECLINED).text
    assert stripe_peer.pay(url(setup)).status == 303
    done = client.v1.checkout.sessions.retrieve(setup.id, {"expand": ["setup_intent.payment_method"]})
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    assert isinstance(done.setup_intent.payment_method, stripe.PaymentMethod)
    assert done.setup_intent.payment_method.customer == customer
    saved = client.v1.customers.payment_methods.list(customer, {"type": "card"}).data
    assert [method.id for method in saved] == [done.setup_intent.payment_method.id]
    kinds = [event["type"] for event in stripe_peer.events()]
    assert kinds[-3:] == ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"line_items": []}, "line_items"),
        ({"expires_at": 1}, "expires_at"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"success_url": None}, "success_url"),
    ],
)
def test_a_session_is_made_of_what_it_needs(client: stripe.StripeClient, change: dict[str, Any], complaint: str) -> None:
    price = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Help"}}
    asked: Any = {"mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "success_url": SUCCESS}
    asked = {key: value for key, value in {**asked, **change}.items() if value}
    with pytest.raises(stripe.InvalidRequestError, match=complaint):
        client.v1.checkout.sessions.create(asked)
