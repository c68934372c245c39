"""Charging at Stripe: over several holds, refused, tried again, given up; and what lapsed meanwhile."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from billing import cards, ledger, signals
from billing.capture import BACK_OFF, capture, carry_out, try_again
from billing.gateways.base import GatewayUnavailable
from billing.gateways.stripe import StripeGateway
from billing.models import Hold, Payment, Posting
from billing.release import let_go
from billing.tasks import heal
from tests.billing.at_stripe import deliver, intents, placed, stripe_card
from tests.billing.conftest import Told
from tests.peers.stripe_stand_in import NO_FUNDS, StripeStandIn

State = Payment.State


@pytest.fixture
def flagged(monkeypatch: pytest.MonkeyPatch) -> list[Payment]:
    """Hear of charges that were given up."""
    heard: list[Payment] = []

    def on_flagged(payment: Payment, **_: object) -> None:
        heard.append(payment)

    monkeypatch.setattr(signals.payment_flagged, "receivers", [])
    signals.payment_flagged.connect(on_flagged, weak=False)
    return heard


def held(peer: StripeStandIn, payer: User, *amounts: int) -> UUID:
    card, reference = stripe_card(peer, payer), uuid4()
    for amount in amounts:
        placed(card, amount, reference)
    return reference


def let_tries_pass(payment: Payment, number: int) -> None:
    """Let the next `number` tries come due, one after the other, as the minutes' sweep does."""
    for _ in range(number):
        payment.refresh_from_db()
        assert payment.next_try_at is not None
        heal(payment.next_try_at + timedelta(seconds=1))
    payment.refresh_from_db()


def test_it_captures_over_several_holds_and_gives_the_rest_back(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = capture(reference=held(at_stripe, alice, 3000, 1500, 1500), payee=eve, amount_minor=4000)
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 4000)
    assert intents(at_stripe) == [("succeeded", 3000), ("succeeded", 1000), ("canceled", 0)]
    assert ledger.balance(eve) == {"USD": 3200}


def test_under_the_minimum_nothing_is_charged_and_all_goes_back(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = capture(reference=held(at_stripe, alice, 3000, 1500), payee=eve, amount_minor=49)
    assert (payment.state, payment.charged_minor) == (State.RELEASED, 0)
    assert intents(at_stripe) == [("canceled", 0), ("canceled", 0)]


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_lost_on_the_way_charges_once(
    at_stripe: StripeStandIn, alice: User, eve: User, told: Told, done: bool
) -> None:
    reference = held(at_stripe, alice, 3000)
    at_stripe.drop("POST", "/v1/payment_intents/[^/]+/capture", done=done, times=2)  # the library tries twice
    with pytest.raises(GatewayUnavailable):
        capture(reference=reference, payee=eve, amount_minor=2000)
    heal(timezone.now() + timedelta(minutes=2))
    assert Payment.objects.get().state == State.CHARGED
    assert intents(at_stripe) == [("succeeded", 2000)]
    assert ledger.balance(eve) == {"USD": 1600}
    assert len(told.charged) == 1


def test_a_refused_charge_is_tried_again_later_and_then_charged_once(
    at_stripe: StripeStandIn, alice: User, eve: User, flagged: list[Payment]
) -> None:
    reference = held(at_stripe, alice, 3000)
    at_stripe.refuse_next_capture()
    payment = capture(reference=reference, payee=eve, amount_minor=2000)
    assert (payment.state, payment.attempts) == (State.FAILED, 1)
    assert payment.next_try_at is not None
    heal(timezone.now())  # not yet
    assert intents(at_stripe) == [("requires_capture", 0)]
    let_tries_pass(payment, 1)
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 2000)
    assert intents(at_stripe) == [("succeeded", 2000)]
    assert not flagged


def test_a_charge_refused_every_time_is_given_up_flagged_once_and_its_card_not_asked_again(
    at_stripe: StripeStandIn, alice: User, eve: User, flagged: list[Payment], client: Client
) -> None:
    other = stripe_card(at_stripe, alice, NO_FUNDS)
    reference = held(at_stripe, alice, 3000)
    card = Hold.objects.get().card
    assert card is not None
    cards.make_default(card=card)
    waits = []
    for number in range(len(BACK_OFF) + 1):
        at_stripe.refuse_next_capture()
        if number == 0:
            payment = capture(reference=reference, payee=eve, amount_minor=2000)
        else:
            let_tries_pass(payment, 1)
        if payment.next_try_at is not None:
            waits.append(payment.next_try_at - timezone.now())
    assert [round(wait / timedelta(minutes=1)) for wait in waits] == [1, 10, 60, 360, 1440]
    assert (payment.state, payment.charged_minor) == (State.FAILED, 0)
    assert payment.flagged_at is not None
    assert payment.problem
    assert [heard.pk for heard in flagged] == [payment.pk]
    assert not Posting.objects.exists()
    # The next request asks for another card, and the pages say why.
    assert list(cards.cards_of(alice)) == [other]
    assert cards.default_card(alice) == other
    client.force_login(alice)
    assert "could not be charged" in client.get("/ask/").content.decode()
    assert "Could not be charged" in client.get("/billing/").content.decode()
    for _ in range(2):
        heal(timezone.now() + timedelta(days=3))
    assert len(flagged) == 1
    # An operator tries once more, and the bank has come round.
    assert try_again(payment=payment).state == State.CHARGED
    assert ledger.balance(eve) == {"USD": 1600}


def test_what_could_be_had_is_charged_when_the_rest_is_given_up(
    at_stripe: StripeStandIn, alice: User, eve: User, flagged: list[Payment]
) -> None:
    reference = held(at_stripe, alice, 3000, 1500)
    second = Hold.objects.get(sequence=2)
    at_stripe.lapse_hold(second.gateway_ref)
    payment = capture(reference=reference, payee=eve, amount_minor=4000)
    assert payment.state == State.FAILED
    let_tries_pass(payment, 1)
    assert (payment.state, payment.charged_minor, payment.due_minor) == (State.CHARGED, 3000, 3000)
    assert intents(at_stripe) == [("succeeded", 3000), ("canceled", 0)]
    assert ledger.balance(eve) == {"USD": 2400}
    assert len(flagged) == 1


def test_a_lapsed_hold_is_made_up_for_by_one_that_still_holds(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    reference = held(at_stripe, alice, 3000, 1500)
    first = Hold.objects.get(sequence=1)
    at_stripe.lapse_hold(first.gateway_ref)
    deliver(at_stripe, *at_stripe.events("payment_intent.canceled"))
    payment = capture(reference=reference, payee=eve, amount_minor=1400)
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 1400)
    assert intents(at_stripe) == [("canceled", 0), ("succeeded", 1400)]


def test_a_session_whose_only_hold_lapsed_is_not_free_but_flagged(
    at_stripe: StripeStandIn, alice: User, eve: User, flagged: list[Payment]
) -> None:
    reference = held(at_stripe, alice, 3000)
    at_stripe.lapse_hold(Hold.objects.get().gateway_ref)
    payment = capture(reference=reference, payee=eve, amount_minor=2000)
    let_tries_pass(payment, 1)
    assert (payment.state, payment.charged_minor) == (State.FAILED, 0)
    assert [heard.pk for heard in flagged] == [payment.pk]


def test_the_tax_of_the_day_stays_with_the_charge(
    at_stripe: StripeStandIn, alice: User, eve: User, settings: Settings
) -> None:
    settings.TAX_NAME, settings.TAX_BASIS_POINTS = "VAT", 810
    payment = capture(reference=held(at_stripe, alice, 3000), payee=eve, amount_minor=2000)
    settings.TAX_NAME, settings.TAX_BASIS_POINTS = "", 0
    payment.refresh_from_db()
    assert (payment.tax_name, payment.tax_basis_points) == ("VAT", 810)


# --- found by review ---


def test_what_is_booked_is_what_was_captured_also_where_a_lapsed_hold_changes_the_parts(
    at_stripe: StripeStandIn, alice: User, eve: User
) -> None:
    reference = held(at_stripe, alice, 1000, 60)
    at_stripe.lapse_hold(Hold.objects.get(sequence=1).gateway_ref)
    deliver(at_stripe, *at_stripe.events("payment_intent.canceled"))
    # 85 was due over both; the second alone gives 60, and 25 more is under what can be asked of the first.
    payment = capture(reference=reference, payee=eve, amount_minor=85)
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 60)
    assert intents(at_stripe) == [("canceled", 0), ("succeeded", 60)]
    assert ledger.balance(eve) == {"USD": 48}


def test_an_operator_who_tries_again_while_it_is_given_up_loses_no_money(
    at_stripe: StripeStandIn, alice: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second hold is captured in the moment in which the charge is given up with what the first gave."""
    reference = held(at_stripe, alice, 3000, 1500)
    at_stripe.refuse_next_capture()
    payment = capture(reference=reference, payee=eve, amount_minor=4000)
    Hold.objects.filter(sequence=1).update(state=Hold.State.CAPTURED, captured_minor=3000)
    Payment.objects.update(next_try_at=None, attempts=6, state=State.FAILED)
    payment.refresh_from_db()

    def an_operator_tries_again(payment: Payment, **_: object) -> None:
        Payment.objects.filter(pk=payment.pk).update(state=State.CAPTURING)

    monkeypatch.setattr(signals.payment_flagged, "receivers", [])
    signals.payment_flagged.connect(an_operator_tries_again, weak=False)
    heal(timezone.now())
    payment.refresh_from_db()
    # Given up lost: the charge is the operator's, with all that is due.
    assert (payment.state, payment.due_minor, payment.charged_minor) == (State.CAPTURING, 4000, 0)
    assert not Posting.objects.exists()


def test_two_sweeps_at_once_use_up_one_try(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    reference = held(at_stripe, alice, 3000)
    at_stripe.refuse_next_capture()
    payment = capture(reference=reference, payee=eve, amount_minor=2000)
    assert payment.next_try_at is not None
    at_stripe.refuse_next_capture()
    for _ in range(2):
        heal(payment.next_try_at + timedelta(seconds=1))
    payment.refresh_from_db()
    assert (payment.state, payment.attempts) == (State.FAILED, 2)


def test_what_was_captured_while_it_was_being_let_go_is_booked(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    reference = held(at_stripe, alice, 3000)
    hold = Hold.objects.get()
    payment = Payment.objects.get(reference=reference)
    Payment.objects.update(state=State.CAPTURING, due_minor=2000, payee=eve, closed_at=timezone.now())

    class Quicker(StripeGateway):
        """Captures, and somebody lets the hold go before our write."""

        def capture(self, *, key: str, ref: str, amount_minor: int) -> None:
            super().capture(key=key, ref=ref, amount_minor=amount_minor)
            Hold.objects.update(state=Hold.State.RELEASING)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("billing.capture.gateway", lambda name: Quicker.from_settings())
        carry_out(payment)
    hold.refresh_from_db()
    payment.refresh_from_db()
    assert (hold.state, hold.captured_minor) == (Hold.State.CAPTURED, 2000)
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 2000)


def test_letting_go_of_what_was_charged_meanwhile_is_no_error(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = capture(reference=held(at_stripe, alice, 3000), payee=eve, amount_minor=2000)
    hold = payment.holds.get()
    Hold.objects.update(state=Hold.State.RELEASING)

    class Late(StripeGateway):
        """The charge's own write comes while the processor refuses to release."""

        def release(self, *, key: str, ref: str) -> None:
            Hold.objects.update(state=Hold.State.CAPTURED)
            super().release(key=key, ref=ref)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("billing.release.gateway", lambda name: Late.from_settings())
        assert not let_go(hold)
