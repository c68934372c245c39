"""What about money keeps a person from deleting the account, and what becomes of cards."""

import pytest
from django.utils import timezone

from accounts.models import User
from billing import erasing, payouts
from billing.gateways.base import GatewayUnavailable
from billing.models import Card, Dispute, Payment, Payout, Refund
from billing.refund import refund
from tests.billing.at_stripe import stripe_card
from tests.billing.conftest import placed
from tests.billing.payday import dispute, earned, ready_account
from tests.peers.stripe_stand_in import StripeStandIn


def reason(person: User) -> str:
    """Return why `person` cannot go; empty where they can."""
    return erasing.objection(person) or ""


def test_an_expert_goes_when_the_last_payout_has_arrived(alice: User, eve: User) -> None:
    earned(alice, eve, 1000, now=timezone.now())
    assert reason(eve).startswith("You are owed $8.00.")
    assert reason(alice) == ""
    ready_account(eve)
    (payout,) = payouts.pay_everybody(timezone.now())
    assert payout.state == Payout.State.PAID
    assert reason(eve) == ""
    Payout.objects.update(state=Payout.State.PENDING)
    assert reason(eve) == erasing.BEING_PAID


def test_what_is_too_little_to_be_paid_out_is_asked_for(alice: User, eve: User) -> None:
    earned(alice, eve, 100, now=timezone.now())
    assert reason(eve) == erasing.TOO_LITTLE.format(amount="$0.80")


def test_who_was_paid_what_was_given_back_settles_it_first(alice: User, eve: User, olga: User) -> None:
    payment = earned(alice, eve, 1000, now=timezone.now())
    ready_account(eve)
    payouts.pay_everybody(timezone.now())
    refund(payment=payment, amount_minor=1000, reason="Bad sound", by=olga)
    assert reason(eve) == erasing.OWES.format(amount="$8.00")


@pytest.mark.parametrize("state", [Payment.State.FAILED, Payment.State.CAPTURING])
def test_a_customer_pays_first(alice: User, eve: User, state: str) -> None:
    payment = earned(alice, eve, 1000, now=timezone.now())
    Payment.objects.filter(pk=payment.pk).update(state=state, charged_minor=300)
    assert reason(alice) == erasing.UNPAID.format(amount="$7.00", title="My query is slow")


def test_a_refund_on_its_way_arrives_first(alice: User, eve: User, olga: User) -> None:
    made = refund(payment=earned(alice, eve, 1000), amount_minor=500, reason="Bad sound", by=olga)
    Refund.objects.filter(pk=made.pk).update(state=Refund.State.PENDING)
    assert reason(alice) == erasing.ON_ITS_WAY


@pytest.mark.parametrize("state", [Dispute.State.NEEDS_ANSWER, Dispute.State.UNDER_REVIEW, Dispute.State.INQUIRY])
def test_a_dispute_is_decided_first_for_both(alice: User, eve: User, state: Dispute.State) -> None:
    dispute(earned(alice, eve, 1000), state)
    assert reason(alice) == reason(eve) == erasing.LOOKED_AT


def detached(peer: StripeStandIn) -> int:
    return sum(request["path"].endswith("/detach") and request.get("status") == 200 for request in peer.requests())


def test_cards_go_here_and_at_the_processor(at_stripe: StripeStandIn, alice: User) -> None:
    placed(stripe_card(at_stripe, alice))
    erasing.remove(alice)
    assert not Card.objects.filter(owner=alice, removed_at=None).exists()
    assert detached(at_stripe) == 1
    erasing.remove(alice)  # a second time changes nothing
    assert detached(at_stripe) == 1


def test_a_processor_that_does_not_answer_is_asked_again(at_stripe: StripeStandIn, alice: User) -> None:
    stripe_card(at_stripe, alice)
    at_stripe.drop("POST", "/v1/payment_methods/[^/]+/detach", done=False, times=2)
    with pytest.raises(GatewayUnavailable):
        erasing.remove(alice)
    # Nobody can pay with it any more all the same.
    assert not Card.objects.filter(owner=alice, removed_at=None).exists()
    erasing.remove(alice)
    assert detached(at_stripe) == 1
