"""Reconcile among trouble: one difference that cannot be mended, or even compared, keeps no other from being found."""

import logging

import pytest

from accounts.models import User
from billing.ledger import post
from billing.models import Payout, PayoutAccount, Posting, Refund
from billing.refund import refund
from tests.billing.at_stripe import charged
from tests.billing.comparing import compare, sentences
from tests.peers.stripe_stand_in import StripeStandIn


def test_a_repair_that_breaks_is_for_a_person_and_the_others_go_on(
    at_stripe: StripeStandIn, eve: User, account: PayoutAccount, caplog: pytest.LogCaptureFixture
) -> None:
    periods = ("2026-W46", "2026-W47", "2026-W48")
    payouts = [
        Payout.objects.create(account=account, expert=eve, amount_minor=800, currency="USD", period=week) for week in periods
    ]
    broken = payouts[1]
    # As a mistake of ours would leave it: the ledger has another amount under the payout's key.
    post(key=f"payout:{broken.pk}", kind=Posting.Kind.PAYOUT, currency="USD", expert_user=eve, expert=-1, processor=1)
    found = compare()
    assert sorted(difference.repaired for difference in found) == [False, True, True]
    assert f"Posting payout:{broken.pk} exists with other amounts" in next(str(d) for d in found if not d.repaired)
    traced = [record for record in caplog.records if record.exc_info and record.levelno == logging.ERROR]
    assert [str(broken.pk) in record.getMessage() for record in traced] == [True]


def test_a_row_that_cannot_be_compared_is_for_a_person_and_the_others_go_on(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, caplog: pytest.LogCaptureFixture
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    broken = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    Refund.objects.update(parts=[{"of": "another release"}])
    at_stripe.open_dispute(payment.holds.get().gateway_ref)
    said = sentences()
    assert any(f"Refund {broken.pk} could not be compared (KeyError" in sentence for sentence in said)
    assert any("is not in our books. Repaired." in sentence for sentence in said)
    assert any(record.exc_info for record in caplog.records if "could not be compared" in record.getMessage())
