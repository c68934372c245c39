"""Whatever is earned, given back and paid out, in whatever order, and wherever the process dies: each cent goes out once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet, Sum
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from billing import ledger
from billing.gateways.demo import DemoGateway
from billing.models import DemoAccount, DemoTransfer, Payment, Payout, PayoutAccount, Posting, Refund
from billing.payout_accounts import open_account, refresh_account
from billing.payouts import available, pay_everybody, period_of, record_reversal
from billing.refund import refund
from billing.tasks import heal
from tests.billing.conftest import person
from tests.billing.payday import NOW, earned, make_refuse, ready_account
from tests.billing.test_invariants import Killed, killed_at_write
from tests.databases import examples

Step = tuple[Any, ...]

MINIMUM = 100
REPORT_TIME = timedelta(hours=48)
currencies = st.sampled_from(["USD", "EUR"])
steps: SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("charge"), currencies, st.integers(50, 3000)),
    st.tuples(st.just("refund"), st.integers(0, 9), st.integers(1, 100)),
    st.tuples(st.just("report"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("time"), st.sampled_from([1, 47, 48, 49, 168])),
    st.tuples(st.just("payday")),
    st.tuples(st.just("gateway pays"), st.booleans()),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.integers(1, 3000)),
    st.tuples(st.just("heal")),
)


class World:
    """One expert, what they earn and are paid, and a clock that moves when told to."""

    def __init__(self) -> None:
        self.alice, self.eve = person("Alice"), person("Eve")
        self.olga = person("Olga", is_staff=True, is_superuser=True)
        self.account = ready_account(self.eve)
        self.now = NOW
        self.payments: list[Payment] = []

    def do(self, step: Step) -> None:
        match step:
            case ("charge", currency, amount):
                self.payments.append(earned(self.alice, self.eve, amount, hours_ago=0, currency=currency, now=self.now))
            case ("refund", which, percent) if self.payments:
                payment = self.payments[which % len(self.payments)]
                payment.refresh_from_db()
                if amount := payment.refundable_minor * percent // 100:
                    refund(payment=payment, amount_minor=amount, reason="r", by=self.olga)
            case ("report", which, kept_back) if self.payments:
                Payment.objects.filter(pk=self.payments[which % len(self.payments)].pk).update(kept_back=kept_back)
            case ("time", hours):
                self.now += timedelta(hours=hours)
            case ("payday",):
                self.payday()
            case ("gateway pays", ready):
                DemoAccount.objects.filter(pk=self.account.gateway_ref).update(ready=ready)
            case ("reverse", which, amount) if paid := list(self.payouts().filter(state="paid")):
                payout = paid[which % len(paid)]
                record_reversal(payout, min(amount, payout.amount_minor))
            case ("heal",):
                heal(self.now + timedelta(minutes=2))

    def payday(self) -> None:
        """Pay, and compare with what is right by the rows of sessions, refunds and payouts alone."""
        expected = {}
        for currency in ("USD", "EUR"):
            amount = self.ripe(currency) - self.out(currency)
            if amount >= MINIMUM and not self.payouts().filter(period=period_of(self.now), currency=currency).exists():
                expected[currency] = amount
        made = pay_everybody(self.now)
        assert {row.currency: row.amount_minor for row in made} == expected
        assert pay_everybody(self.now) == []

    def ripe(self, currency: str) -> int:
        """Return what sessions left the expert of which no problem can be reported any more and none is looked at."""
        charges = Posting.objects.filter(payment__in=self.payments, currency=currency, kind="charge")
        ripe = charges.filter(posted_at__lte=self.now - REPORT_TIME, payment__kept_back=False).select_related("payment")
        total = 0
        for charge in ripe:
            assert charge.payment is not None
            total += charge.payment.charged_minor - charge.payment.charged_minor * 20 // 100
        refunds = Refund.objects.filter(payment__in=[charge.payment for charge in ripe])
        return total - sum(made.standing_expert_minor for made in refunds)

    def out(self, currency: str) -> int:
        """Return what was paid out or is on its way, less what came back."""
        rows = self.payouts().filter(currency=currency).exclude(state="failed")
        return sum(row.amount_minor - row.reversed_minor for row in rows)

    def payouts(self) -> QuerySet[Payout]:
        return Payout.objects.filter(expert=self.eve).order_by("created_at", "pk")

    def check(self) -> None:
        postings = list(Posting.objects.filter(expert_user=self.eve))
        assert all(row.customer + row.expert + row.platform + row.processor == 0 for row in postings)
        for currency, owed in ledger.balance(self.eve).items():
            assert owed == sum(row.expert for row in postings if row.currency == currency)
            assert owed == self.shares(currency) - self.out(currency)
            may_go_out = available(self.eve, self.now).get(currency, 0)
            assert may_go_out == max(0, self.ripe(currency) - self.out(currency)) <= max(0, owed)
        # The gateway's books are ours.
        theirs = DemoTransfer.objects.filter(account=UUID(self.account.gateway_ref)).values_list(
            "key", "amount_minor", "currency"
        )
        paid = self.payouts().filter(state="paid")
        assert sorted(theirs) == sorted((f"payout:{row.pk}", row.amount_minor, row.currency) for row in paid)
        weeks = list(self.payouts().values_list("period", "currency"))
        assert len(weeks) == len(set(weeks))

    def shares(self, currency: str) -> int:
        """Return what all sessions left the expert."""
        rows = Posting.objects.filter(payment__in=self.payments, currency=currency)
        total: int | None = rows.aggregate(total=Sum("expert"))["total"]
        return total or 0

    def leave(self) -> None:
        """The next example's paydays are not this one's."""
        PayoutAccount.objects.filter(pk=self.account.pk).update(ready=False)


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=4, max_size=20))
def test_any_order_of_earning_refunding_and_paying_adds_up(journey: list[Step]) -> None:
    world = World()
    for step in journey:
        world.do(step)
        world.check()
    world.leave()


def test_half_a_year_of_weeks_pays_out_exactly_what_was_earned(db: None) -> None:
    world = World()
    for week in range(26):
        world.do(("charge", "USD", 1000 + week))
        if week % 5 == 0:
            world.do(("refund", week, 80))
        world.do(("time", 24 * 7))
        world.do(("payday",))
        world.check()
    world.do(("time", 24 * 7))
    world.do(("payday",))
    assert ledger.balance(world.eve) == {"USD": 0}
    assert world.out("USD") == world.shares("USD")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("refused", [False, True])
def test_killed_at_any_write_a_payout_moves_once_and_the_sweep_makes_it_whole(refused: bool) -> None:
    number = 0
    done = False
    while not done:
        number += 1
        world = World()
        world.do(("charge", "USD", 1000))
        world.do(("time", 48))
        if refused:
            make_refuse(world.account)
        try:
            with killed_at_write(number):
                pay_everybody(world.now)
            done = True
        except Killed:
            pass
        refusal_kept = world.payouts().exclude(problem="").exists()
        # Meanwhile the gateway would pay: what was refused and written down must not be asked for again.
        DemoGateway().finish_account(world.account.gateway_ref)
        heal(world.now + timedelta(minutes=2))
        pay_everybody(world.now + timedelta(minutes=2))
        world.check()
        (payout,) = world.payouts()
        assert payout.amount_minor == 800
        if payout.state == Payout.State.FAILED:
            assert refused
            assert ledger.balance(world.eve) == {"USD": 800}
        else:
            assert payout.state == Payout.State.PAID
            assert not refusal_kept
            assert ledger.balance(world.eve) == {"USD": 0}
        world.leave()
    assert number > 4
    # Where nobody was killed, the refusal stood.
    assert (payout.state == Payout.State.FAILED) == refused


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_write_a_reversal_is_booked_once() -> None:
    number = 0
    done = False
    while not done:
        number += 1
        world = World()
        world.do(("charge", "USD", 1000))
        world.do(("time", 48))
        world.do(("payday",))
        (payout,) = world.payouts()
        try:
            with killed_at_write(number):
                record_reversal(payout, 300)
            done = True
        except Killed:
            pass
        # The processor says it again.
        record_reversal(payout, 300)
        world.check()
        assert ledger.balance(world.eve) == {"USD": 300}
        world.leave()
    assert number == 3


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_write_an_expert_has_one_account() -> None:
    number = 0
    done = False
    while not done:
        number += 1
        eve = person("Eve")
        try:
            with killed_at_write(number):
                account = open_account(owner=eve)
                DemoGateway().finish_account(account.gateway_ref)
                refresh_account(account)
            done = True
        except Killed:
            pass
        account = open_account(owner=eve)
        DemoGateway().finish_account(account.gateway_ref)
        assert refresh_account(account).ready
        assert str(DemoAccount.objects.get(key=f"account:{eve.pk}").pk) == account.gateway_ref
        assert PayoutAccount.objects.filter(owner=eve).count() == 1
    assert number == 5
