"""Reconcile while people go on: what changes during the comparison is no difference."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from billing.gateways.stripe import StripeGateway
from billing.holds import finish_hold
from billing.models import Hold, Payment, Payout, PayoutAccount, Posting, Refund
from billing.payouts import record_reversal
from billing.reconcile import reconcile, run
from billing.reconcile.holds import compare_holds
from billing.reconcile.payouts import compare_payouts
from billing.reconcile.refunds import compare_refunds
from billing.refund import carry_out, refund
from billing.release import release
from tests.billing.at_stripe import at_the_page, charged, placed, stripe_card
from tests.billing.comparing import compare, paid
from tests.billing.conftest import person
from tests.peers.stripe_stand_in import StripeStandIn


def compare_now() -> list[str]:
    """Compare without waiting until all has settled."""
    now = timezone.now()
    found = reconcile(gateway_name="stripe", since=now - timedelta(days=1), now=now)
    return [str(difference) for difference in found]


def a_run() -> run.Run:
    """Return a run whose parts a test goes through step by step."""
    later = timezone.now() + timedelta(minutes=10)
    return run.Run(StripeGateway.from_settings(), later - timedelta(days=1), later, repair=True)


def test_a_session_being_charged_is_left_alone(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    """Its holds are old, and its charge is of this moment."""
    charged(at_stripe, alice, eve, 1000)
    Hold.objects.update(created_at=timezone.now() - timedelta(hours=1), captured_minor=900)
    assert compare_now() == []
    Payment.objects.update(closed_at=timezone.now() - timedelta(hours=1))
    assert any("1000 was captured there and 900 here" in one for one in compare_now())


def test_a_refund_being_made_is_left_alone(at_stripe: StripeStandIn, alice: User, eve: User, olga: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    Payment.objects.update(closed_at=timezone.now() - timedelta(hours=1))
    Posting.objects.filter(key=f"refund:{made.pk}")._raw_delete("default")  # not booked yet, it has just been written down
    Refund.objects.update(parts=[{**made.parts[0], "amount_minor": 399}])
    assert compare_now() == []
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=1))
    said = compare_now()
    assert any("400 there and 399 here" in one for one in said)
    assert any("the ledger says 1000" in one for one in said)


def test_a_payout_being_made_is_left_alone(at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount) -> None:
    charged(at_stripe, alice, eve, 1000)
    paid(eve)
    Payout.objects.update(state=Payout.State.PENDING)
    assert compare_now() == []
    Payout.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert any("is paid there and pending here" in one for one in compare_now())


def test_a_dispute_opened_just_now_is_left_to_its_event(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    at_stripe.open_dispute(charged(at_stripe, alice, eve, 1000).holds.get().gateway_ref)
    assert compare_now() == []
    assert [difference.repaired for difference in compare()] == [True]


def test_a_row_that_changed_since_it_was_read_is_no_difference(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = [at_the_page(alice), at_the_page(person("Bob"))]
    for page in waiting:
        at_stripe.pay(page.url)
    comparing = compare_holds(a_run())
    assert next(comparing).repaired
    # The customer of the other comes back from the page at this moment.
    other = Hold.objects.get(state=Hold.State.PENDING)
    finish_hold(hold=other)
    assert list(comparing) == []


def test_a_hold_given_back_since_it_was_listed_is_no_difference(
    at_stripe: StripeStandIn, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 1)  # our row is read long after the listing
    going = placed(stripe_card(at_stripe, alice))
    at_stripe.pay(at_the_page(person("Bob")).url)
    Hold.objects.filter(pk=going.pk).update(created_at=timezone.now() - timedelta(hours=1))
    comparing = compare_holds(a_run())
    assert next(comparing).repaired  # of the newer, which is listed first
    release(reference=going.payment.reference)
    Payment.objects.filter(pk=going.payment_id).update(closed_at=timezone.now() - timedelta(hours=1))
    assert list(comparing) == []


def test_a_payout_taken_back_since_it_was_listed_is_no_difference(
    at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 1)
    charged(at_stripe, alice, eve, 1000)
    going = paid(eve, "2026-W47")
    charged(at_stripe, alice, eve, 1000)
    at_stripe.reverse_transfer(paid(eve, "2026-W48").gateway_ref, 100)
    comparing = compare_payouts(a_run())
    assert next(comparing).repaired
    at_stripe.reverse_transfer(going.gateway_ref, 300)
    record_reversal(going, 300)
    assert list(comparing) == []


def test_a_refund_that_failed_since_it_was_listed_is_no_difference(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 1)
    payment = charged(at_stripe, alice, eve, 1000)
    going = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 100)
    comparing = compare_refunds(a_run())
    assert next(comparing).repaired
    at_stripe.set_refund(going.parts[0]["ref"], "failed")
    carry_out(going)
    assert list(comparing) == []
