"""Refunds and disputes at Stripe: followed to their end, whoever began them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from billing import ledger, signals
from billing.capture import capture
from billing.disputes import write_down
from billing.gateways.base import GatewayDispute, GatewayUnavailable
from billing.models import Dispute, Hold, Payment, Posting, Refund
from billing.refund import OUTSIDE, RefundRefused, carry_out, refund
from billing.tasks import heal
from tests.billing.at_stripe import charged, deliver, placed, stripe_card
from tests.billing.conftest import Told
from tests.peers.stripe_stand_in import StripeStandIn


def given_back(peer: StripeStandIn) -> list[tuple[int, str]]:
    """Return amount and status of each refund in Stripe's books, oldest first."""
    return [(made["amount"], made["status"]) for made in peer.books()["refund"]]


def test_a_refund_over_two_holds_succeeds(at_stripe: StripeStandIn, alice: User, eve: User, olga: User, told: Told) -> None:
    payment = charged(at_stripe, alice, eve, 4000, 3000, 1500)
    made = refund(payment=payment, amount_minor=3500, reason="It did not help.", by=olga)
    assert made.state == Refund.State.SUCCEEDED
    assert given_back(at_stripe) == [(3000, "succeeded"), (500, "succeeded")]
    assert ledger.balance(eve) == {"USD": 400}
    assert [heard.pk for heard in told.refunded] == [made.pk]


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_lost_on_the_way_refunds_once(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, done: bool, told: Told
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.drop("POST", "/v1/refunds", done=done, times=2)  # the library tries twice
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    assert made.state == Refund.State.PENDING
    heal(timezone.now() + timedelta(minutes=2))
    made.refresh_from_db()
    assert made.state == Refund.State.SUCCEEDED
    assert given_back(at_stripe) == [(400, "succeeded")]
    assert ledger.balance(eve) == {"USD": 480}
    assert len(told.refunded) == 1


def test_a_refund_is_found_again_when_stripe_has_forgotten_its_key(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    # As a crash before our write leaves it; and the key is another one as far as Stripe can tell.
    Refund.objects.update(state=Refund.State.PENDING, revision=0, parts=[{**made.parts[0], "ref": ""}])
    before = len([line for line in at_stripe.requests() if (line["method"], line["path"]) == ("POST", "/v1/refunds")])
    heal(timezone.now() + timedelta(minutes=2))
    after = len([line for line in at_stripe.requests() if (line["method"], line["path"]) == ("POST", "/v1/refunds")])
    assert before == after == 1
    assert given_back(at_stripe) == [(400, "succeeded")]


def test_a_refund_the_bank_takes_its_time_for_is_told_and_then_succeeds(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, told: Told
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.next_refund_becomes("pending")
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    assert made.state == Refund.State.PENDING
    assert len(told.refunded) == 1
    assert ledger.balance(eve) == {"USD": 480}
    heal(timezone.now() + timedelta(minutes=2))
    at_stripe.set_refund(made.parts[0]["ref"], "succeeded")
    deliver(at_stripe, *at_stripe.events("refund.updated"))
    made.refresh_from_db()
    assert made.state == Refund.State.SUCCEEDED
    assert ledger.balance(eve) == {"USD": 480}
    assert len(told.refunded) == 1


def test_a_refund_that_fails_days_later_is_taken_back_in_the_books_and_can_be_made_again(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Refund] = []

    def on_failed(refund: Refund, **_: object) -> None:
        heard.append(refund)

    monkeypatch.setattr(signals.refund_failed, "receivers", [])
    signals.refund_failed.connect(on_failed, weak=False)
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    at_stripe.set_refund(made.parts[0]["ref"], "failed")
    failed = at_stripe.events("refund.failed", "refund.updated")
    deliver(at_stripe, *failed, *failed)
    made.refresh_from_db()
    payment.refresh_from_db()
    assert made.state == Refund.State.FAILED
    assert made.problem
    assert payment.refunded_minor == 0
    assert ledger.balance(eve) == {"USD": 800}
    assert len(heard) == 1
    assert refund(payment=payment, amount_minor=1000, reason="r", by=olga).state == Refund.State.SUCCEEDED
    assert ledger.shares_left(payment) == (0, 0)


def test_of_two_parts_one_fails_and_only_that_one_comes_back(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 4000, 3000, 1500)
    made = refund(payment=payment, amount_minor=4000, reason="r", by=olga)
    at_stripe.set_refund(made.parts[1]["ref"], "failed")
    deliver(at_stripe, *at_stripe.events("refund.failed", "refund.updated"))
    made.refresh_from_db()
    payment.refresh_from_db()
    assert (made.state, made.failed_minor, made.standing_minor) == (Refund.State.SUCCEEDED, 1000, 3000)
    assert payment.refunded_minor == 3000
    assert ledger.shares_left(payment) == (800, 200)
    again = refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    assert [part["hold"] for part in again.parts] == [made.parts[1]["hold"]]
    assert ledger.shares_left(payment) == (0, 0)


def test_a_refund_made_on_stripes_own_pages_is_in_our_books_too(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    ref = payment.holds.get().gateway_ref
    at_stripe.dashboard_refund(ref, 300)
    told = at_stripe.events("refund.created")
    deliver(at_stripe, *told, *told)
    made = Refund.objects.get()
    payment.refresh_from_db()
    assert (made.amount_minor, made.by, made.reason, made.state) == (300, None, OUTSIDE, Refund.State.SUCCEEDED)
    assert payment.refunded_minor == 300
    assert ledger.balance(eve) == {"USD": 560}
    with pytest.raises(RefundRefused, match=r"\$7\.00"):
        refund(payment=payment, amount_minor=701, reason="r", by=olga)


def test_a_refusal_of_stripes_is_said_and_nothing_is_booked(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref)  # and its webhook never comes
    with pytest.raises(RefundRefused, match="given back already"):
        refund(payment=payment, amount_minor=500, reason="r", by=olga)
    assert ledger.balance(eve) == {"USD": 800}


# --- disputes ---


def test_a_dispute_takes_the_money_back_for_now_and_won_it_returns(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref, reason="product_not_received")
    deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    row = Dispute.objects.get()
    payment.refresh_from_db()
    assert (row.state, row.reason, row.amount_minor) == (Dispute.State.NEEDS_ANSWER, "product not received", 1000)
    assert row.answer_by == datetime.fromtimestamp(opened["evidence_details"]["due_by"], UTC)
    assert (payment.disputed_minor, payment.refundable_minor) == (1000, 0)
    assert ledger.balance(eve) == {"USD": 0}
    at_stripe.set_dispute(opened["id"], "won")
    deliver(at_stripe, *at_stripe.events("charge.dispute.closed"))
    row.refresh_from_db()
    payment.refresh_from_db()
    assert row.state == Dispute.State.WON
    assert row.closed_at is not None
    assert payment.disputed_minor == 0
    assert ledger.balance(eve) == {"USD": 800}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 2, 0, 2)])
def test_the_events_of_a_dispute_in_any_order_come_to_the_same(
    at_stripe: StripeStandIn, alice: User, eve: User, order: tuple[int, ...]
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref, amount=400)
    at_stripe.set_dispute(opened["id"], "under_review")
    at_stripe.set_dispute(opened["id"], "lost")
    events = at_stripe.events("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
    assert len(events) >= 3
    deliver(at_stripe, *(events[index] for index in order))
    row = Dispute.objects.get()
    assert (row.state, row.expert_minor) == (Dispute.State.LOST, 320)
    assert ledger.balance(eve) == {"USD": 480}
    assert Posting.objects.filter(kind=Posting.Kind.DISPUTE).count() == 1


def test_an_inquiry_moves_no_money(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.open_dispute(payment.holds.get().gateway_ref, status="warning_needs_response")
    deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    assert Dispute.objects.get().state == Dispute.State.INQUIRY
    assert ledger.balance(eve) == {"USD": 800}


def test_a_dispute_after_a_refund_costs_the_expert_no_more_than_the_share(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    refund(payment=payment, amount_minor=600, reason="r", by=olga)
    at_stripe.open_dispute(payment.holds.get().gateway_ref, amount=1000)
    deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    # 1000 charged, 1600 gone: the expert's 800 are gone, the platform lost its 200 and 600 more.
    assert ledger.shares_left(payment) == (0, -600)
    payment.refresh_from_db()
    assert payment.refundable_minor == 0


def test_what_is_disputed_cannot_be_refunded_as_well(at_stripe: StripeStandIn, alice: User, eve: User, olga: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.open_dispute(payment.holds.get().gateway_ref)
    deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    with pytest.raises(RefundRefused, match="already"):
        refund(payment=payment, amount_minor=1, reason="r", by=olga)


def test_news_of_a_charge_that_is_not_written_down_yet_waits_for_it(
    at_stripe: StripeStandIn, alice: User, eve: User
) -> None:
    """Stripe's webhook can be quicker than our own write."""
    reference = uuid4()
    hold = placed(stripe_card(at_stripe, alice), 1000, reference)
    capture(reference=reference, payee=eve, amount_minor=1000)
    Payment.objects.update(state=Payment.State.CAPTURING, charged_minor=0)
    Hold.objects.update(state=Hold.State.PLACED, captured_minor=0)
    at_stripe.dashboard_refund(hold.gateway_ref, 300)
    with pytest.raises(GatewayUnavailable, match="not written down yet"):
        deliver(at_stripe, *at_stripe.events("refund.created"))
    heal(timezone.now() + timedelta(minutes=2))
    heal(timezone.now() + timedelta(minutes=2))
    assert Payment.objects.get().refunded_minor == 300


# --- found by review ---


def test_a_refund_that_cannot_be_seen_has_not_failed(at_stripe: StripeStandIn, alice: User, eve: User, olga: User) -> None:
    """As after a change of the key: "No such refund" says nothing about the money."""
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    Refund.objects.update(parts=[{**made.parts[0], "ref": "re_unknown"}])
    assert carry_out(made).state == Refund.State.SUCCEEDED
    assert ledger.balance(eve) == {"USD": 480}


def test_an_inquiry_answered_with_a_refund_and_disputed_all_the_same_costs_the_expert_the_share_at_most(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    ref = payment.holds.get().gateway_ref
    seen = GatewayDispute("dp_1", ref, 1000, "fraudulent", "inquiry", timezone.now())
    write_down(seen=seen, gateway_name="stripe")
    refund(payment=payment, amount_minor=500, reason="r", by=olga)
    write_down(seen=replace(seen, state="needs_answer", amount_minor=500), gateway_name="stripe")
    assert ledger.shares_left(payment) == (0, 0)
    assert Dispute.objects.get().amount_minor == 500


def test_a_closed_inquiry_waits_for_nobody(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref, status="warning_needs_response")
    deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    at_stripe.set_dispute(opened["id"], "warning_closed")
    deliver(at_stripe, *at_stripe.events("charge.dispute.closed"))
    row = Dispute.objects.get()
    assert row.state == Dispute.State.WON
    assert row.closed_at is not None
    assert ledger.balance(eve) == {"USD": 800}


def test_a_refund_of_ours_refused_because_of_one_made_at_stripe_leaves_the_expert_no_share(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.fail("POST", "/v1/refunds", times=2)
    assert refund(payment=payment, amount_minor=1000, reason="r", by=olga).state == Refund.State.PENDING
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref)
    deliver(at_stripe, *at_stripe.events("refund.created"))
    heal(timezone.now() + timedelta(minutes=2))
    payment.refresh_from_db()
    assert payment.refunded_minor == 1000
    assert ledger.shares_left(payment) == (0, 0)


def test_a_part_that_was_refused_and_booked_back_is_never_asked_for_again(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 4000, 3000, 1500)
    first, second = payment.holds.order_by("sequence")
    at_stripe.open_dispute(second.gateway_ref)  # and we do not know of it yet: its part is refused
    made = refund(payment=payment, amount_minor=4000, reason="r", by=olga)
    assert (made.failed_minor, given_back(at_stripe)) == (1000, [(3000, "succeeded")])
    Hold.objects.filter(pk=second.pk).update(gateway_ref=first.gateway_ref)  # as if it were willing now
    again = carry_out(made)
    assert (again.failed_minor, given_back(at_stripe)) == (1000, [(3000, "succeeded")])


def test_a_dispute_waits_for_a_refund_that_is_being_asked_for(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.fail("POST", "/v1/refunds", times=2)
    refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    at_stripe.open_dispute(payment.holds.get().gateway_ref)
    with pytest.raises(GatewayUnavailable, match="being asked for"):
        deliver(at_stripe, *at_stripe.events("charge.dispute.created"))
    heal(timezone.now() + timedelta(minutes=2))  # the refund is refused: the charge is disputed
    heal(timezone.now() + timedelta(minutes=2))
    assert Refund.objects.get().state == Refund.State.FAILED
    assert Dispute.objects.get().expert_minor == 800
    assert ledger.shares_left(payment) == (0, 0)
