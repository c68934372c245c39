"""When payouts go out: the Monday job, and the command for operators."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts import suspending
from accounts.models import User
from billing import tasks  # noqa: F401  the job
from billing.models import DemoAccount, Payout, PayoutAccount
from billing.payout_accounts import open_account
from billing.payouts import available, next_payout, pay_everybody, pay_out, period_of
from tests.billing.payday import NOW, earned, make_refuse, ready_account, transferred
from tests.peers.stripe_stand_in import StripeStandIn


def test_the_job_runs_on_mondays_from_six_again_each_hour() -> None:
    (job,) = [task for task in HUEY._registry.periodic_tasks if task.name == "pay_experts_on_mondays"]
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    week = [monday + timedelta(minutes=30 * half_hour) for half_hour in range(2 * 24 * 7)]
    runs = [at for at in week if job.validate_datetime(at)]
    assert runs == [monday + timedelta(hours=hour) for hour in range(6, 24)]
    assert runs[0] == next_payout(monday)


def test_the_command_pays_and_a_dry_run_only_says_what_it_would_pay(alice: User, eve: User) -> None:
    now = timezone.now()
    earned(alice, eve, 1000, now=now)
    ready_account(eve)
    said = StringIO()
    call_command("pay_out", "--dry-run", stdout=said)
    assert f"$8.00 to Eve: would go out\n{period_of(now)}: 1 to pay. Nothing was paid." in said.getvalue()
    assert not Payout.objects.exists()
    said = StringIO()
    call_command("pay_out", stdout=said)
    assert "$8.00 to Eve: paid" in said.getvalue()
    assert transferred() == [800]
    said = StringIO()
    call_command("pay_out", "--dry-run", stdout=said)
    call_command("pay_out", stdout=said)
    assert said.getvalue() == f"{period_of(now)}: 0 to pay. Nothing was paid.\n{period_of(now)}: 0 made.\n"


def test_the_command_fails_where_a_payout_was_refused(alice: User, eve: User) -> None:
    earned(alice, eve, 1000, now=timezone.now())
    make_refuse(ready_account(eve))
    said = StringIO()
    with pytest.raises(CommandError, match="1 refused"):
        call_command("pay_out", stdout=said)
    assert "$8.00 to Eve: failed: This account cannot be paid to yet." in said.getvalue()


def test_the_minimum_is_a_setting(alice: User, eve: User, settings: Settings) -> None:
    settings.PAYOUT_MINIMUM = 801
    earned(alice, eve, 1000)
    ready_account(eve)
    assert pay_everybody(NOW) == []


def test_what_was_refused_can_be_paid_again_in_the_same_week_and_once(alice: User, eve: User) -> None:
    make_refuse(ready_account(eve))
    earned(alice, eve, 1000)
    assert [payout.state for payout in pay_everybody(NOW)] == [Payout.State.FAILED]
    DemoAccount.objects.update(ready=True)
    assert pay_everybody(NOW) == []
    assert [payout.period for payout in pay_everybody(NOW, again=True)] == [f"{period_of(NOW)}-2"]
    assert pay_everybody(NOW, again=True) == []
    assert transferred() == [800]


def test_for_sessions_paid_with_demo_cards_no_real_money_goes_out(
    at_stripe: StripeStandIn, alice: User, eve: User, settings: Settings
) -> None:
    settings.PAYMENTS = "demo"
    earned(alice, eve, 1000)
    settings.PAYMENTS = "stripe"
    at_stripe.set_account(open_account(owner=eve).gateway_ref, enabled=True)
    PayoutAccount.objects.update(ready=True)
    assert pay_everybody(NOW) == []
    assert pay_out(expert=eve, currency="USD", period=period_of(NOW), now=NOW) is None
    with pytest.raises(CommandError, match="need a database of their own"):
        call_command("pay_out")
    assert at_stripe.books()["transfer"] == []


def test_what_a_suspended_expert_earned_waits_until_it_is_lifted(alice: User, eve: User, olga: User) -> None:
    earned(alice, eve, 1000)
    ready_account(eve)
    suspending.suspend(user=eve, by=olga, reason="A scam")
    assert pay_everybody(NOW) == []
    assert available(eve, NOW) == {"USD": 800}
    suspending.lift(user=eve, by=olga)
    assert [payout.amount_minor for payout in pay_everybody(NOW)] == [800]
