"""What goes out to an expert, when, and never twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.gateways.base import KEYS_KEPT, GatewayUnavailable, TransferEntry
from billing.gateways.demo import DemoGateway
from billing.models import DemoTransfer, Dispute, Payment, Payout, Posting
from billing.payout_accounts import open_account
from billing.payouts import (
    available,
    due_payouts,
    heal_payouts,
    next_payout,
    pay_everybody,
    pay_out,
    period_of,
    record_paid,
    record_reversal,
    standings,
)
from billing.refund import refund
from billing.tasks import heal
from tests.billing.conftest import person
from tests.billing.payday import NOW, WEEK, dispute, earned, jobs_at_once, make_refuse, ready_account, transferred

__all__ = ["jobs_at_once"]


def pay_eve(eve: User, now: datetime = NOW) -> Payout:
    payout = pay_out(expert=eve, currency="USD", period=period_of(now), now=now)
    assert payout is not None
    return payout


# --- What may go out ---


def test_a_share_is_available_once_no_problem_can_be_reported_any_more(alice: User, eve: User) -> None:
    earned(alice, eve, 1000, hours_ago=48)
    earned(alice, eve, 500, hours_ago=47.9)
    assert ledger.balance(eve) == {"USD": 1200}
    assert available(eve, NOW) == {"USD": 800}
    assert available(eve, NOW + timedelta(hours=1)) == {"USD": 1200}


def test_a_share_somebody_reported_a_problem_with_waits(alice: User, eve: User) -> None:
    kept = earned(alice, eve, 1000)
    earned(alice, eve, 500)
    Payment.objects.filter(pk=kept.pk).update(kept_back=True)
    assert available(eve, NOW) == {"USD": 400}
    Payment.objects.filter(pk=kept.pk).update(kept_back=False)
    assert available(eve, NOW) == {"USD": 1200}


@pytest.mark.parametrize(
    ("state", "left"),
    [("needs_answer", 400), ("under_review", 400), ("won", 600), ("lost", 600), ("inquiry", 600)],
)
def test_what_a_dispute_left_of_a_session_waits_for_the_bank(alice: User, eve: User, state: str, left: int) -> None:
    earned(alice, eve, 500)
    disputed = earned(alice, eve, 1000)
    # The bank took 750 back for now: 600 of it from the expert, booked as every dispute is.
    ledger.post(
        key="dispute:1", kind=Posting.Kind.DISPUTE, currency="USD", payment=disputed, expert_user=eve,
        customer=750, expert=-600, platform=-150,
    )  # fmt: skip
    dispute(disputed, Dispute.State(state))
    assert available(eve, NOW) == {"USD": left}


def test_a_refund_of_a_share_that_waits_is_not_counted_twice(alice: User, eve: User, olga: User) -> None:
    earned(alice, eve, 1000)
    fresh = earned(alice, eve, 500, hours_ago=1)
    refund(payment=fresh, amount_minor=250, reason="r", by=olga)
    assert available(eve, NOW) == {"USD": 800}
    (standing,) = standings(eve, NOW)
    assert (standing.balance_minor, standing.fresh_minor) == (1000, 200)


def test_a_session_that_cost_the_expert_something_waits_for_nothing(alice: User, eve: User, olga: User) -> None:
    earned(alice, eve, 1000)
    fresh = earned(alice, eve, 500, hours_ago=1)
    refund(payment=fresh, amount_minor=250, reason="r", by=olga)
    # And the bank took the whole charge, though half was given back: 200 more than the share.
    ledger.post(
        key="dispute:1", kind=Posting.Kind.DISPUTE, currency="USD", payment=fresh, expert_user=eve,
        customer=500, expert=-400, platform=-100,
    )  # fmt: skip
    dispute(fresh, Dispute.State.NEEDS_ANSWER)
    assert available(eve, NOW) == {"USD": 600}


def test_currencies_are_paid_apart(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    earned(alice, eve, 500, currency="EUR")
    ready_account(eve)
    assert available(eve, NOW) == {"EUR": 400, "USD": 800}
    assert [(row.currency, row.amount_minor) for row in pay_everybody(NOW)] == [("EUR", 400), ("USD", 800)]
    assert ledger.balance(eve) == {"EUR": 0, "USD": 0}


def test_a_debt_in_one_currency_does_not_touch_another(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    ledger.post(key="p", kind=Posting.Kind.PAYOUT, currency="EUR", expert_user=eve, expert=-500, processor=500)
    assert available(eve, NOW) == {"USD": 800}


def test_what_is_reserved_is_not_available_again(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    account = ready_account(eve)
    # Written down by a process that died then.
    Payout.objects.create(account=account, expert=eve, amount_minor=800, currency="USD", period="2026-W47", created_at=NOW)
    assert available(eve, NOW) == {}
    assert pay_everybody(NOW) == []
    heal_payouts(NOW + timedelta(minutes=2))
    assert transferred() == [800]
    assert ledger.balance(eve) == {"USD": 0}


def test_the_week_is_iso_and_utc() -> None:
    assert period_of(NOW) == "2026-W48"
    assert period_of(datetime(2027, 1, 3, 23, 59, tzinfo=UTC)) == "2026-W53"
    assert period_of(datetime(2027, 1, 4, tzinfo=UTC)) == "2027-W01"


def test_the_next_payout_is_the_next_monday_at_six() -> None:
    assert next_payout(NOW) == datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert next_payout(datetime(2026, 11, 30, 5, 59, tzinfo=UTC)) == datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert next_payout(datetime(2026, 11, 30, 6, tzinfo=UTC)) == datetime(2026, 12, 7, 6, tzinfo=UTC)


# --- Paying ---


def test_a_payout_is_booked_made_and_written_down(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    account = ready_account(eve)
    payout = pay_eve(eve)
    made = DemoTransfer.objects.get()
    assert (made.key, str(made.account_id), made.amount_minor) == (f"payout:{payout.pk}", account.gateway_ref, 800)
    assert (payout.state, payout.gateway_ref, payout.period) == (Payout.State.PAID, str(made.pk), "2026-W48")
    posting = Posting.objects.get(key=f"payout:{payout.pk}")
    assert (posting.customer, posting.expert, posting.platform, posting.processor) == (0, -800, 0, 800)


def test_everybody_is_paid_once_a_week(alice: User, eve: User) -> None:
    erin = person("Erin")
    for expert in (eve, erin):
        ready_account(expert)
    earned(alice, eve, 1000)
    earned(alice, erin, 500)
    assert sorted(row.amount_minor for row in pay_everybody(NOW)) == [400, 800]
    assert pay_everybody(NOW) == []
    # Ripe since, and still this week: it waits for the next.
    earned(alice, eve, 700)
    assert list(due_payouts(NOW)) == []
    assert pay_everybody(NOW) == []
    assert transferred() == [400, 800]
    assert [row.amount_minor for row in pay_everybody(NOW + WEEK)] == [560]


def test_the_second_of_two_who_decided_to_pay_a_week_pays_nothing(alice: User, eve: User) -> None:
    ready_account(eve)
    earned(alice, eve, 1000)
    pay_eve(eve)
    earned(alice, eve, 1000)
    assert pay_out(expert=eve, currency="USD", period="2026-W48", now=NOW) is None
    assert transferred() == [800]


@pytest.mark.parametrize(("amount", "this_week", "next_week"), [(123, [], [179]), (125, [100], [])])
def test_less_than_the_minimum_stays_for_the_next_week(
    alice: User, eve: User, amount: int, this_week: list[int], next_week: list[int]
) -> None:
    ready_account(eve)
    earned(alice, eve, amount)  # Hopps' fee is rounded down: the shares are 99 and 100
    assert [due.amount_minor for due in due_payouts(NOW)] == this_week
    if not this_week:
        assert pay_out(expert=eve, currency="USD", period="2026-W48", now=NOW) is None
    assert [row.amount_minor for row in pay_everybody(NOW)] == this_week
    earned(alice, eve, 100)
    assert [row.amount_minor for row in pay_everybody(NOW + WEEK)] == next_week


def test_an_account_that_is_not_ready_is_not_paid_and_nothing_is_lost(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    assert pay_everybody(NOW) == []
    open_account(owner=eve)
    assert pay_everybody(NOW) == []
    assert pay_out(expert=eve, currency="USD", period="2026-W48", now=NOW) is None
    assert not Payout.objects.exists()
    ready_account(eve)
    assert [row.amount_minor for row in pay_everybody(NOW)] == [800]


def test_a_refund_after_the_payout_is_netted_with_what_comes_next(alice: User, eve: User, olga: User) -> None:
    ready_account(eve)
    payment = earned(alice, eve, 1000)
    pay_everybody(NOW)
    refund(payment=payment, amount_minor=500, reason="r", by=olga)
    assert ledger.balance(eve) == {"USD": -400}
    assert available(eve, NOW) == {}
    assert pay_everybody(NOW + WEEK) == []
    # The next session is not ripe yet, and what is missing is not hidden by it.
    earned(alice, eve, 750, hours_ago=1, now=NOW + WEEK)
    (standing,) = standings(eve, NOW + WEEK)
    assert (standing.balance_minor, standing.fresh_minor, standing.short_minor) == (200, 600, 400)
    assert pay_everybody(NOW + WEEK) == []
    assert [row.amount_minor for row in pay_everybody(NOW + 2 * WEEK)] == [200]
    assert transferred() == [200, 800]
    assert ledger.balance(eve) == {"USD": 0}


# --- What goes wrong ---


def test_a_refused_payout_is_owed_again_and_operators_hear_of_it(alice: User, eve: User, jobs_at_once: None) -> None:
    earned(alice, eve, 1000)
    make_refuse(ready_account(eve))
    payout = pay_eve(eve)
    assert (payout.state, payout.problem) == (Payout.State.FAILED, "This account cannot be paid to yet.")
    assert ledger.balance(eve) == {"USD": 800}
    assert list(Posting.objects.filter(kind="payout").order_by("posted_at").values_list("expert", flat=True)) == [-800, 800]
    assert transferred() == []
    (letter,) = mail.outbox
    assert letter.subject.endswith("A payout failed: $8.00 to Eve")
    assert "This account cannot be paid to yet." in letter.body
    # Seen to: it goes out with the next week's, once.
    ready_account(eve)
    heal_payouts(NOW + timedelta(hours=1))
    assert pay_everybody(NOW) == []
    assert [row.amount_minor for row in pay_everybody(NOW + WEEK)] == [800]
    assert transferred() == [800]


def test_one_refusal_keeps_nobody_else_waiting(alice: User, eve: User) -> None:
    erin = person("Erin")
    make_refuse(ready_account(eve))
    ready_account(erin)
    earned(alice, eve, 1000)
    earned(alice, erin, 500)
    assert {row.expert: row.state for row in pay_everybody(NOW)} == {eve: "failed", erin: "paid"}
    assert transferred() == [400]


def test_one_that_breaks_keeps_nobody_else_waiting(alice: User, eve: User, monkeypatch: pytest.MonkeyPatch) -> None:
    erin = person("Erin")
    for expert in (eve, erin):
        earned(alice, expert, 1000)
    broken = ready_account(eve)
    ready_account(erin)
    real = DemoGateway.transfer

    def transfer(gateway: DemoGateway, **order: Any) -> TransferEntry:
        if order["account_ref"] == broken.gateway_ref:
            raise RuntimeError("A bug.")
        return real(gateway, **order)

    monkeypatch.setattr(DemoGateway, "transfer", transfer)
    assert [row.expert for row in pay_everybody(NOW)] == [erin]
    assert Payout.objects.get(expert=eve).state == Payout.State.PENDING
    monkeypatch.undo()
    heal_payouts(NOW + timedelta(minutes=2))
    assert transferred() == [800, 800]


class Silence:
    """The processor does not answer; `done` says whether it does what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, done: bool) -> None:
        self.asked = 0
        real = DemoGateway.transfer

        def transfer(gateway: DemoGateway, **order: Any) -> TransferEntry:
            self.asked += 1
            if done:
                real(gateway, **order)
            raise GatewayUnavailable("No answer.")

        monkeypatch.setattr(DemoGateway, "transfer", transfer)


@pytest.mark.parametrize("done", [True, False])
def test_a_silent_processor_is_asked_again_and_pays_once(
    alice: User, eve: User, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    earned(alice, eve, 1000)
    ready_account(eve)
    with monkeypatch.context() as outage:
        Silence(outage, done=done)
        payout = pay_eve(eve)
        assert payout.state == Payout.State.PENDING
        heal_payouts(NOW + timedelta(minutes=2))
    # On its way: owed no more, and not available.
    assert ledger.balance(eve) == {"USD": 0}
    heal_payouts(NOW + timedelta(minutes=3))
    payout.refresh_from_db()
    assert payout.state == Payout.State.PAID
    assert transferred() == [800]


@pytest.mark.parametrize(("done", "state", "owed"), [(True, "paid", 0), (False, "failed", 800)])
def test_after_a_day_a_payout_is_looked_up_and_never_asked_for_anew(
    alice: User, eve: User, monkeypatch: pytest.MonkeyPatch, done: bool, state: str, owed: int
) -> None:
    now = timezone.now()
    earned(alice, eve, 1000, now=now)
    ready_account(eve)
    silence = Silence(monkeypatch, done=done)
    payout = pay_eve(eve, now)
    heal_payouts(now + KEYS_KEPT)
    payout.refresh_from_db()
    assert silence.asked == 1
    assert payout.state == state
    assert ledger.balance(eve) == {"USD": owed}


def test_a_payout_of_this_minute_is_left_to_who_makes_it(alice: User, eve: User) -> None:
    account = ready_account(eve)
    earned(alice, eve, 1000)
    Payout.objects.create(account=account, expert=eve, amount_minor=800, currency="USD", period="2026-W48", created_at=NOW)
    heal(NOW + timedelta(seconds=59))
    assert transferred() == []
    heal(NOW + timedelta(seconds=61))
    assert transferred() == [800]


def test_a_payout_the_gateway_made_after_all_is_booked_again(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    make_refuse(ready_account(eve))
    payout = pay_eve(eve)
    for _ in range(2):
        record_paid(payout, "tr_1")
    payout.refresh_from_db()
    assert (payout.state, payout.gateway_ref, payout.problem) == (Payout.State.PAID, "tr_1", "")
    assert ledger.balance(eve) == {"USD": 0}


def test_a_reversed_payout_is_owed_again_whatever_order_we_hear_it_in(alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    ready_account(eve)
    payout = pay_eve(eve)
    for total, owed in [(300, 300), (300, 300), (500, 500), (300, 500), (0, 500), (800, 800)]:
        record_reversal(payout, total)
        assert ledger.balance(eve) == {"USD": owed}
        payout.refresh_from_db()
        assert payout.reversed_minor == owed
    with pytest.raises(ValueError, match="beyond"):
        record_reversal(payout, 801)
    assert [row.amount_minor for row in pay_everybody(NOW + WEEK)] == [800]
