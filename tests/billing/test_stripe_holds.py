"""Holds at Stripe: the first card on its page, saved cards, the bank's question, and answers that get lost."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing import cards
from billing.customers import customer_ref
from billing.gateways.base import KEYS_KEPT, GatewayUnavailable
from billing.holds import HoldDeclined, HoldInProgress, HoldNeedsAction, HoldPlaced, finish_hold, is_held
from billing.models import Card, GatewayCustomer, Hold, Payment
from billing.release import release
from billing.tasks import heal
from tests.billing.at_stripe import ask_for_hold, at_the_page, deliver, intents, placed, stripe_card
from tests.billing.conftest import Told
from tests.peers.stripe_stand_in import APPROVED, DECLINED, NEEDS_AUTHENTICATION, NO_FUNDS, StripeStandIn


def test_the_first_session_holds_and_saves_the_card_on_stripes_page(
    at_stripe: StripeStandIn, alice: User, client: Client, told: Told
) -> None:
    waiting = at_the_page(alice)
    assert waiting.hold.card is None
    assert not told.placed
    back = at_stripe.pay(waiting.url).location
    assert back is not None
    client.force_login(alice)
    answer = client.get(back)
    assert answer["Location"] == "/sessions/"
    hold = Hold.objects.get()
    assert (hold.state, hold.gateway) == (Hold.State.PLACED, "stripe")
    assert str(hold.card) == "Visa ending 4242"
    assert cards.default_card(alice) == hold.card
    assert intents(at_stripe) == [("requires_capture", 0)]
    assert [heard.pk for heard in told.placed] == [hold.pk]


def test_the_tab_is_closed_and_only_the_webhook_arrives(at_stripe: StripeStandIn, alice: User, told: Told) -> None:
    waiting = at_the_page(alice)
    at_stripe.pay(waiting.url)
    done = at_stripe.events("checkout.session.completed")
    assert deliver(at_stripe, *done) == [200]
    assert is_held(waiting.hold.payment.reference)
    assert len(told.placed) == 1


def test_neither_the_customer_nor_a_webhook_comes_back_and_the_sweep_finds_it(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = at_the_page(alice)
    at_stripe.pay(waiting.url)
    heal(timezone.now() + timedelta(minutes=2))
    assert is_held(waiting.hold.payment.reference)


def test_going_back_without_paying_holds_nothing_and_the_page_is_still_there(
    at_stripe: StripeStandIn, alice: User, client: Client
) -> None:
    waiting = at_the_page(alice)
    back = at_stripe.go_back(waiting.url).location
    assert back is not None
    client.force_login(alice)
    assert "Nothing is held yet" in client.get(back, follow=True).content.decode()
    assert client.get(reverse("hold_continue", args=[waiting.hold.pk]))["Location"] == waiting.url
    assert not Card.objects.exists()


def test_asking_again_closes_the_page_that_was_left_open(at_stripe: StripeStandIn, alice: User) -> None:
    first = at_the_page(alice)
    second = at_the_page(alice, 6000, first.hold.payment.reference)
    assert at_stripe.pay(first.url).location is None
    at_stripe.pay(second.url)
    assert isinstance(finish_hold(hold=second.hold), HoldPlaced)
    first.hold.refresh_from_db()
    assert first.hold.state == Hold.State.RELEASED
    assert intents(at_stripe) == [("requires_capture", 0)]


def test_what_was_paid_on_a_page_of_a_request_called_off_goes_back(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = at_the_page(alice)
    at_stripe.pay(waiting.url)
    release(reference=waiting.hold.payment.reference)
    assert intents(at_stripe) == [("canceled", 0)]
    deliver(at_stripe, *at_stripe.events())
    assert Hold.objects.get().state == Hold.State.RELEASED


def test_a_page_whose_time_is_over_says_so(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = at_the_page(alice)
    at_stripe.lapse_checkout(waiting.hold.gateway_ref)
    deliver(at_stripe, *at_stripe.events("checkout.session.expired"))
    outcome = finish_hold(hold=waiting.hold)
    assert isinstance(outcome, HoldDeclined)
    assert "Nothing was held" in outcome.sentence


def test_the_next_session_confirms_the_saved_card_at_once(at_stripe: StripeStandIn, alice: User, told: Told) -> None:
    hold = placed(stripe_card(at_stripe, alice))
    assert intents(at_stripe) == [("requires_capture", 0)]
    assert [heard.pk for heard in told.placed] == [hold.pk]
    assert GatewayCustomer.objects.count() == 1


def test_the_bank_asks_and_the_return_address_brings_the_customer_back(
    at_stripe: StripeStandIn, alice: User, client: Client
) -> None:
    outcome = ask_for_hold(alice, stripe_card(at_stripe, alice, NEEDS_AUTHENTICATION))
    assert isinstance(outcome, HoldNeedsAction)
    back = at_stripe.answer_bank(outcome.url, approved=True).location
    assert back is not None
    client.force_login(alice)
    assert "$30.00 is held" in client.get(back, follow=True).content.decode()
    assert is_held(outcome.hold.payment.reference)


def test_the_bank_asks_and_the_customer_refuses(at_stripe: StripeStandIn, alice: User) -> None:
    outcome = ask_for_hold(alice, stripe_card(at_stripe, alice, NEEDS_AUTHENTICATION))
    assert isinstance(outcome, HoldNeedsAction)
    at_stripe.answer_bank(outcome.url, approved=False)
    after = finish_hold(hold=outcome.hold)
    assert isinstance(after, HoldDeclined)
    assert "could not make sure that it is you" in after.sentence


@pytest.mark.parametrize(("number", "sentence"), [(DECLINED, "declined this card"), (NO_FUNDS, "not enough on this card")])
def test_a_refused_card_says_what_to_do(at_stripe: StripeStandIn, alice: User, number: str, sentence: str) -> None:
    outcome = ask_for_hold(alice, stripe_card(at_stripe, alice, number))
    assert isinstance(outcome, HoldDeclined)
    assert sentence in outcome.sentence
    assert "other card" in outcome.sentence


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_lost_on_the_way_holds_once(at_stripe: StripeStandIn, alice: User, done: bool, told: Told) -> None:
    card, reference = stripe_card(at_stripe, alice), uuid4()
    at_stripe.drop("POST", "/v1/payment_intents", done=done, times=2)  # the library tries twice
    outcome = ask_for_hold(alice, card, reference=reference)
    assert isinstance(outcome, HoldInProgress)
    assert "Give it a minute" in outcome.sentence
    heal(timezone.now() + timedelta(minutes=2))
    assert is_held(reference)
    assert intents(at_stripe) == [("requires_capture", 0)]
    assert len(told.placed) == 1


def test_the_library_makes_up_for_one_lost_answer_by_itself(at_stripe: StripeStandIn, alice: User) -> None:
    card = stripe_card(at_stripe, alice)
    at_stripe.drop("POST", "/v1/payment_intents", done=True)
    placed(card)
    assert intents(at_stripe) == [("requires_capture", 0)]


def test_a_hold_nobody_answered_about_for_a_day_is_never_asked_for_anew(at_stripe: StripeStandIn, alice: User) -> None:
    """Stripe has forgotten the key by then: asking again could hold the money twice."""
    card = stripe_card(at_stripe, alice)
    payment = Payment.objects.create(reference=uuid4(), payer=alice, currency="USD", description="d")
    long_ago = timezone.now() - KEYS_KEPT - timedelta(minutes=1)
    left = Hold.objects.create(
        payment=payment, sequence=1, gateway="stripe", card=card, amount_minor=3000, created_at=long_ago
    )
    heal(timezone.now())
    left.refresh_from_db()
    assert left.state == Hold.State.DECLINED
    assert intents(at_stripe) == []


def test_a_hold_the_bank_lets_lapse_is_known_to_be_gone(at_stripe: StripeStandIn, alice: User) -> None:
    hold = placed(stripe_card(at_stripe, alice))
    at_stripe.lapse_hold(hold.gateway_ref)
    deliver(at_stripe, *at_stripe.events("payment_intent.canceled"))
    hold.refresh_from_db()
    assert hold.state == Hold.State.LAPSED
    assert not is_held(hold.payment.reference)


def test_nobody_else_comes_back_from_ones_bank(at_stripe: StripeStandIn, alice: User, bob: User, client: Client) -> None:
    waiting = at_the_page(alice)
    client.force_login(bob)
    for name in ("hold_return", "hold_continue"):
        assert client.get(reverse(name, args=[waiting.hold.pk])).status_code == 404


# --- cards ---


def test_a_card_is_added_on_stripes_page_and_kept_once(at_stripe: StripeStandIn, alice: User, client: Client) -> None:
    client.force_login(alice)
    page = client.post(reverse("card_page"), {"next": "/ask/"})["Location"]
    back = at_stripe.pay(page, APPROVED).location
    assert back is not None
    answer = client.get(back, follow=True)
    assert answer.redirect_chain[0] == ("/ask/", 302)
    assert "Visa ending 4242 is saved." in answer.content.decode()
    client.get(back)
    deliver(at_stripe, *at_stripe.events("checkout.session.completed"))
    assert Card.objects.count() == 1


def test_a_card_added_in_a_tab_that_was_closed_is_kept_by_the_webhook(
    at_stripe: StripeStandIn, alice: User, client: Client
) -> None:
    client.force_login(alice)
    at_stripe.pay(client.post(reverse("card_page"))["Location"])
    deliver(at_stripe, *at_stripe.events("checkout.session.completed"))
    assert Card.objects.get().owner == alice


def test_a_late_webhook_does_not_bring_a_removed_card_back(at_stripe: StripeStandIn, alice: User, client: Client) -> None:
    client.force_login(alice)
    back = at_stripe.pay(client.post(reverse("card_page"))["Location"]).location
    assert back is not None
    client.get(back)
    cards.remove(card=Card.objects.get())
    deliver(at_stripe, *at_stripe.events("checkout.session.completed"))
    assert not cards.cards_of(alice).exists()


def test_leaving_the_page_adds_no_card(at_stripe: StripeStandIn, alice: User, client: Client) -> None:
    client.force_login(alice)
    back = at_stripe.go_back(client.post(reverse("card_page"))["Location"]).location
    assert back is not None
    assert "No card was added." in client.get(back, follow=True).content.decode()


def test_somebody_elses_visit_adds_no_card(at_stripe: StripeStandIn, alice: User, bob: User, client: Client) -> None:
    client.force_login(alice)
    back = at_stripe.pay(client.post(reverse("card_page"))["Location"]).location
    assert back is not None
    client.force_login(bob)
    assert "No card was added." in client.get(back, follow=True).content.decode()
    assert not Card.objects.exists()


def test_a_removed_card_is_removed_at_stripe_too(at_stripe: StripeStandIn, alice: User, client: Client) -> None:
    card = stripe_card(at_stripe, alice)
    client.force_login(alice)
    client.post(reverse("card_remove", args=[card.pk]))
    assert at_stripe.requests()[-1]["path"] == f"/v1/payment_methods/{card.gateway_ref}/detach"
    assert not cards.cards_of(alice).exists()


def test_a_payer_is_one_customer_at_stripe(at_stripe: StripeStandIn, alice: User) -> None:
    refs = {customer_ref(owner=alice, gateway_name="stripe") for _ in range(3)}
    GatewayCustomer.objects.all().delete()  # as a crash before our write leaves it
    refs.add(customer_ref(owner=alice, gateway_name="stripe"))
    assert len(refs) == 1


def test_stripe_out_of_reach_says_so_and_keeps_the_page(at_stripe: StripeStandIn, alice: User, client: Client) -> None:
    client.force_login(alice)
    at_stripe.fail("POST", "/v1/customers", status=503, times=2)
    answer = client.post(reverse("card_page"), follow=True)
    assert answer.status_code == 200
    assert "does not answer" in answer.content.decode()


# --- found by review ---


def test_a_card_paid_as_its_page_was_being_closed_goes_back_when_the_news_comes(
    at_stripe: StripeStandIn, alice: User
) -> None:
    waiting = at_the_page(alice)
    Hold.objects.update(state=Hold.State.RELEASED)  # as where the page was closed, as far as we heard
    at_stripe.pay(waiting.url)
    deliver(at_stripe, *at_stripe.events("checkout.session.completed"))
    assert intents(at_stripe) == [("canceled", 0)]
    assert Hold.objects.get().state == Hold.State.RELEASED


def test_a_page_that_cannot_be_closed_just_now_is_not_said_to_be(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = at_the_page(alice)
    busy = {"type": "invalid_request_error", "message": "A payment is in progress."}
    at_stripe.fail("POST", "/v1/checkout/sessions/[^/]+/expire", status=400, error=busy)
    with pytest.raises(GatewayUnavailable):
        release(reference=waiting.hold.payment.reference)
    assert Hold.objects.get().state == Hold.State.RELEASING
    heal(timezone.now() + timedelta(minutes=2))
    assert Hold.objects.get().state == Hold.State.RELEASED
    assert at_stripe.pay(waiting.url).location is None


def test_what_stripe_says_of_its_own_names_is_not_for_customers(at_stripe: StripeStandIn, alice: User) -> None:
    card = stripe_card(at_stripe, alice)
    Card.objects.update(gateway_ref="pm_gone")
    card.refresh_from_db()
    outcome = ask_for_hold(alice, card)
    assert isinstance(outcome, HoldDeclined)
    assert "pm_gone" not in outcome.sentence
    assert "Use another card" in outcome.sentence


def test_a_new_name_after_a_lost_answer_keeps_nobody_from_asking(at_stripe: StripeStandIn, alice: User) -> None:
    at_stripe.drop("POST", "/v1/customers", done=True, times=2)
    with pytest.raises(GatewayUnavailable):
        customer_ref(owner=alice, gateway_name="stripe")
    alice.display_name = "Alice Smith"
    assert customer_ref(owner=alice, gateway_name="stripe")
