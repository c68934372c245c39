"""Reconcile among trouble: one difference that cannot be mended, or even compared, keeps no other from being found."""

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from billing.ledger import post
from billing.models import DemoAccount, DemoIntent, Payout, PayoutAccount, Posting, Refund
from billing.payout_accounts import open_account
from billing.reconcile import run
from billing.refund import refund
from tests.billing.at_stripe import charged
from tests.billing.comparing import compare, paid, sentences
from tests.billing.conftest import approved_card, person
from tests.billing.conftest import charged as charged_in_the_demo
from tests.billing.conftest import placed as placed_in_the_demo
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


def queries_for(times: int, alice: User, olga: User) -> int:
    """Return how many queries comparing takes, with `times` more sessions, refunds and payouts in the demo's books."""
    for _ in range(times):
        eve = person("Eve")
        account = open_account(owner=eve)
        DemoAccount.objects.update(ready=True)
        PayoutAccount.objects.update(ready=True)
        payment = charged_in_the_demo(alice, eve, 4000, 3000, 1500)
        refund(payment=payment, amount_minor=1000, reason="r", by=olga)
        paid(account.owner)
        # Known to one side only, in one way each.
        Payout.objects.create(account=account, expert=eve, amount_minor=1, currency="EUR", period="2026-W48", state="paid")
        asking = placed_in_the_demo(approved_card(alice))
        DemoIntent.objects.filter(key=f"hold:{asking.pk}").delete()
    with CaptureQueriesContext(connection) as queries:
        found = compare("demo", repair=False)
    assert len(found) == 2 * Payout.objects.filter(currency="EUR").count(), [str(difference) for difference in found]
    return len(queries)


def test_twice_the_books_are_no_more_queries_within_a_page(alice: User, olga: User) -> None:
    few = queries_for(3, alice, olga)
    # Each account is asked for by itself: at Stripe that is a request, in the demo a query, and our row is read after it.
    assert queries_for(3, alice, olga) == few + 3 * 2


def test_twice_the_pages_are_at_most_twice_the_queries(alice: User, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PAGE", 2)
    few = queries_for(4, alice, olga)
    assert queries_for(4, alice, olga) <= 2 * few
