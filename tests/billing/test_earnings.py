"""What an expert reads about their money, and takes away."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing import ledger
from billing.earnings import charges_of, lines_of
from billing.models import Dispute, Payment, Posting
from billing.payouts import next_payout, pay_everybody, pay_out
from billing.refund import refund
from tests.billing.conftest import person
from tests.billing.payday import date, dispute, earned, make_refuse, ready_account


@pytest.fixture
def as_eve(client: Client, eve: User) -> Client:
    client.force_login(eve)
    return client


def earnings(client: Client, query: str = "") -> str:
    """Return the page's words, as a reader sees them."""
    text = re.sub(r"<[^>]+>", " ", client.get(f"/expert/earnings/{query}").content.decode())
    return re.sub(r"\s+", " ", text).replace("&#x27;", "'")


def rows(client: Client) -> list[dict[str, str]]:
    answer = client.get(reverse("earnings_csv"))
    assert answer["Content-Disposition"] == 'attachment; filename="hopps-earnings.csv"'
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


def test_an_expert_who_earned_nothing_reads_how_to_begin(as_eve: Client) -> None:
    page = earnings(as_eve)
    assert "No sessions yet" in page
    assert "Set up payouts" in page
    assert "Download CSV" not in page
    assert rows(as_eve) == []


def test_what_is_owed_is_what_goes_out_and_what_waits(as_eve: Client, alice: User, eve: User) -> None:
    now = timezone.now()
    monday = next_payout(now)
    earned(alice, eve, 1000, now=now)
    kept = earned(alice, eve, 500, now=now)
    Payment.objects.filter(pk=kept.pk).update(kept_back=True)
    # Ripe by Monday, and an hour too late for it.
    date(earned(alice, eve, 250), monday - timedelta(hours=48))
    date(earned(alice, eve, 125), monday - timedelta(hours=47))
    ready_account(eve)
    (standing,) = as_eve.get("/expert/earnings/").context["standings"]
    assert standing.balance_minor == 800 + 400 + 200 + 100
    assert (standing.available_minor, standing.kept_minor, standing.fresh_minor, standing.short_minor) == (1000, 400, 100, 0)
    page = earnings(as_eve)
    assert f"$15.00 Goes out on {monday:%A}, {monday.day} {monday:%b} $10.00" in page
    assert "Waits until its 48 h have passed $1.00" in page
    assert "Waits: a problem is being looked at $4.00" in page


def test_a_negative_balance_is_explained(as_eve: Client, alice: User, eve: User, olga: User) -> None:
    now = timezone.now()
    ready_account(eve)
    payment = earned(alice, eve, 1000, now=now)
    pay_everybody(now)
    refund(payment=payment, amount_minor=500, reason="r", by=olga)
    page = earnings(as_eve)
    assert "What we owe you −$4.00" in page
    assert "Given back after it was paid out −$4.00" in page
    assert "A refund came after a payout. The next sessions make up for it" in page


def test_too_little_for_a_payout_is_said(as_eve: Client, alice: User, eve: User) -> None:
    earned(alice, eve, 100, now=timezone.now())
    assert "Less than $1.00 stays for the next week." in earnings(as_eve)
    earned(alice, eve, 100, now=timezone.now())
    assert "Less than" not in earnings(as_eve)


def test_a_statement_shows_each_session_with_all_that_became_of_it(
    as_eve: Client, alice: User, eve: User, olga: User
) -> None:
    now = timezone.now()
    plain = earned(alice, eve, 1001, hours_ago=1, now=now)
    refunded = earned(alice, eve, 1000, hours_ago=72, now=now)
    refund(payment=refunded, amount_minor=250, reason="r", by=olga)
    disputed = earned(alice, eve, 500, hours_ago=96, now=now)
    ledger.post(
        key="dispute:1", kind=Posting.Kind.DISPUTE, currency="USD", payment=disputed, expert_user=eve,
        customer=250, expert=-200, platform=-50,
    )  # fmt: skip
    dispute(disputed, Dispute.State.NEEDS_ANSWER)
    lines = lines_of(eve, charges_of(eve))
    assert [line.payment for line in lines] == [plain, refunded, disputed]
    assert [(line.charged_minor, line.fee_minor, line.share_minor) for line in lines] == [
        (1001, 200, 801), (1000, 200, 800), (500, 100, 400),
    ]  # fmt: skip
    assert [(line.refunds_minor, line.disputes_minor, line.net_minor) for line in lines] == [
        (0, 0, 801), (-200, 0, 600), (0, -200, 200),
    ]  # fmt: skip
    assert sum(line.net_minor for line in lines) == ledger.balance(eve)["USD"]
    page = earnings(as_eve)
    assert "; waits until" in page
    assert "−$2.00 refund" in page
    assert "Disputed" in page
    assert [
        tuple(int(row[name]) for name in row if name.endswith("(minor units)")) for row in rows(as_eve)
    ] == [(1001, 200, 801, 0, 0, 801), (1000, 200, 800, -200, 0, 600), (500, 100, 400, 0, -200, 200)]  # fmt: skip


def test_a_statement_is_ones_own(as_eve: Client, alice: User, eve: User) -> None:
    earned(alice, person("Erin"), 1000)
    mine = earned(alice, eve, 500)
    assert [line.payment for line in as_eve.get("/expert/earnings/").context["lines"]] == [mine]
    assert [row["Session"] for row in rows(as_eve)] == [str(mine.reference)]


def test_no_spreadsheet_takes_a_title_for_a_formula(as_eve: Client, alice: User, eve: User) -> None:
    payment = earned(alice, eve, 1000)
    Payment.objects.filter(pk=payment.pk).update(description="=HYPERLINK(1)")
    assert rows(as_eve)[0]["Title"] == "'=HYPERLINK(1)"


def test_payouts_say_how_they_went(as_eve: Client, alice: User, eve: User) -> None:
    now = timezone.now()
    account = ready_account(eve)
    earned(alice, eve, 1000, now=now)
    make_refuse(account)
    pay_out(expert=eve, currency="USD", period="2026-W01", now=now)
    page = earnings(as_eve)
    assert "Week 01, 2026 It did not arrive. We owe it to you again, and try with the next payout." in page
    ready_account(eve)
    pay_out(expert=eve, currency="USD", period="2026-W02", now=now)
    assert "Paid $8.00" in earnings(as_eve)


def test_many_payouts_and_sessions_come_in_parts(as_eve: Client, alice: User, eve: User) -> None:
    now = timezone.now()
    ready_account(eve)
    for week in range(23):
        earned(alice, eve, 1000, hours_ago=72 + week, now=now)
        pay_out(expert=eve, currency="USD", period=f"2026-W{week:02d}", now=now)
    first = as_eve.get("/expert/earnings/")
    assert (len(first.context["lines"]), len(first.context["payouts"])) == (20, 12)
    assert "Show all payouts" in first.content.decode()
    every = as_eve.get("/expert/earnings/?payouts=all&page=2")
    assert (len(every.context["lines"]), len(every.context["payouts"])) == (3, 23)
    assert "Show all payouts" not in every.content.decode()
    assert len(rows(as_eve)) == 23
    for strange in ("?page=x", "?page=99", "?payouts=x"):
        assert as_eve.get(f"/expert/earnings/{strange}").status_code == 200


@pytest.mark.parametrize("name", ["earnings", "earnings_csv"])
def test_more_money_makes_no_more_queries(
    as_eve: Client, alice: User, eve: User, olga: User, django_assert_max_num_queries: DjangoAssertNumQueries, name: str
) -> None:
    now = timezone.now()
    ready_account(eve)

    def a_week(number: int) -> None:
        for currency in ("USD", "EUR"):
            payment = earned(alice, eve, 1000, now=now, currency=currency)
            pay_out(expert=eve, currency=currency, period=f"2026-W{number:02d}", now=now)
            refund(payment=payment, amount_minor=100, reason="r", by=olga)

    def read() -> bytes:
        answer = as_eve.get(reverse(name))
        return b"".join(answer) if answer.streaming else answer.content

    a_week(1)
    read()  # the first request of a sign-in notes that it is in use
    with django_assert_max_num_queries(20) as few:
        read()
    for number in range(2, 9):
        a_week(number)
    with django_assert_max_num_queries(len(few.captured_queries)):
        read()
