"""What a receipt says: worked out by hand here, and the same on the page, in the PDF and in the mail."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import Topic, User
from billing.capture import capture
from billing.models import Hold, Payment, Refund
from billing.refund import refund
from sessions_app import receipts
from sessions_app.models import HelpSession, State
from sessions_app.receipts import Receipt, included_tax, percent, plain
from tests.people import make_active

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)


def make_charged(
    customer: User, expert: User, topic: Topic, *, seconds: int = 330, amount_minor: int = 700, **fields: object
) -> HelpSession:
    """Return a settled session that was charged: at $2.00 a minute, the first 2 of 5½ minutes free, unless told."""
    session = make_active(customer, expert, topic, seconds=seconds)
    ended = BEGAN + timedelta(seconds=seconds)
    HelpSession.objects.filter(pk=session.pk).update(
        state=State.ENDED, active_at=BEGAN, ended_at=ended, settled_at=ended, end_reason="customer",
        billable_seconds=seconds, amount_minor=amount_minor, **fields,
    )  # fmt: skip
    capture(reference=session.pk, payee=expert, amount_minor=amount_minor)
    return HelpSession.objects.with_people().get(pk=session.pk)


def receipt_of(session: HelpSession) -> Receipt:
    receipt = receipts.find(session)
    assert receipt is not None
    return receipt


def adds_up(receipt: Receipt) -> bool:
    """Whether all the amounts in the bill make its total."""
    lines = sum(line.amount_minor for line in receipt.lines)
    return lines - sum(line.amount_minor for line in receipt.refunds) == receipt.total_minor


@pytest.fixture
def charged(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_charged(alice, eve, topic)


def test_it_says_seconds_rate_free_minutes_and_total(charged: HelpSession) -> None:
    receipt = receipt_of(charged)
    assert receipt.bill == (
        ("Time you were both there", "", "5:30"),
        ("First 2 min, new expert", "", "free"),
        ("3:30 at $2.00 a minute", "", "$7.00"),
    )
    assert (receipt.total, receipt.state, receipt.tax) == ("$7.00", "charged", None)
    assert (receipt.seconds, receipt.free_seconds, receipt.price_per_minute) == (330, 120, 200)
    assert receipt.notes == (
        "Visa ending 4242: $60.00 held, $7.00 charged, the rest released.",
        "Ended: The customer ended it.",
    )
    assert adds_up(receipt)


def test_it_names_who_sold_what_to_whom_and_when(settings: Settings, charged: HelpSession, alice: User) -> None:
    settings.RECEIPT_SELLER = "Hopps GmbH, Wien"
    User.objects.filter(pk=alice.pk).update(time_zone="Europe/Vienna")
    receipt = receipt_of(HelpSession.objects.with_people().get(pk=charged.pk))
    assert (receipt.seller, receipt.customer, receipt.expert, receipt.topic, receipt.title) == (
        "Hopps GmbH, Wien", "Alice", "Eve", "Databases", "Query is slow",
    )  # fmt: skip
    assert receipt.when == "2 March 2026, 14:05 (Europe/Vienna)"
    assert receipt.number == str(charged.pk)
    assert receipt.demo


def test_a_refund_lowers_the_total_with_its_day_its_reason_and_its_card(charged: HelpSession, olga: User) -> None:
    made = refund(payment=Payment.objects.get(), amount_minor=250, reason="Bad sound", by=olga)
    Refund.objects.filter(pk=made.pk).update(created_at=datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    receipt = receipt_of(charged)
    assert receipt.bill[-1] == ("Refund, 3 March 2026", "Bad sound", "−$2.50")
    assert receipt.refunds[0].to == "Visa ending 4242"
    assert (receipt.charged, receipt.total) == ("$7.00", "$4.50")
    assert adds_up(receipt)


def test_a_refund_the_bank_works_on_is_on_its_way_and_one_it_refused_is_none(charged: HelpSession, olga: User) -> None:
    made = refund(payment=Payment.objects.get(), amount_minor=250, reason="Bad sound", by=olga)
    Refund.objects.filter(pk=made.pk).update(state=Refund.State.PENDING)
    assert "(on its way)" in receipt_of(charged).refunds[0].label
    Refund.objects.filter(pk=made.pk).update(failed_minor=100)
    assert receipt_of(charged).total == "$5.50"
    Refund.objects.filter(pk=made.pk).update(state=Refund.State.FAILED)
    receipt = receipt_of(charged)
    assert (receipt.refunds, receipt.total) == ((), "$7.00")


def test_too_little_to_charge_is_said_and_nothing_is_paid(alice: User, eve: User, topic: Topic) -> None:
    receipt = receipt_of(make_charged(alice, eve, topic, seconds=130, amount_minor=34))
    assert receipt.bill[2:] == (("0:10 at $2.00 a minute", "", "$0.34"), ("Too little to charge", "", "−$0.34"))
    assert (receipt.total, receipt.state) == ("$0.00", "free")
    assert receipt.notes[0] == "Visa ending 4242: $60.00 held, nothing charged, all of it released."
    assert adds_up(receipt)


def test_seconds_above_the_cap_are_taken_off(alice: User, eve: User, topic: Topic) -> None:
    receipt = receipt_of(make_charged(alice, eve, topic, seconds=120 + 1803, amount_minor=6000))
    assert receipt.bill[2:] == (("30:03 at $2.00 a minute", "", "$60.10"), ("Above the cap", "", "−$0.10"))
    assert receipt.notes[0] == "Visa ending 4242: $60.00 held, $60.00 charged, nothing left to release."
    assert adds_up(receipt)


def test_with_an_expert_known_before_nothing_is_free(alice: User, eve: User, topic: Topic) -> None:
    receipt = receipt_of(make_charged(alice, eve, topic, seconds=61, amount_minor=204, free_seconds=0))
    assert receipt.bill == (("Time you were both there", "", "1:01"), ("1:01 at $2.00 a minute", "", "$2.04"))


def test_before_it_is_settled_there_is_none(alice: User, eve: User, topic: Topic) -> None:
    assert receipts.find(make_active(alice, eve, topic, seconds=10)) is None


@pytest.mark.parametrize(
    ("state", "says"),
    [(Payment.State.CAPTURING, "due"), (Payment.State.OPEN, "due"), (Payment.State.FAILED, "failed")],
)
def test_until_the_card_is_charged_it_says_what_is_due(charged: HelpSession, state: str, says: str) -> None:
    Payment.objects.update(state=state, charged_minor=0)
    Hold.objects.update(state=Hold.State.PLACED, captured_minor=0)
    receipt = receipt_of(charged)
    assert (receipt.state, receipt.due, receipt.final) == (says, "$7.00", False)
    assert receipt.notes[0] == "Visa ending 4242: $60.00 held, nothing charged, all of it still held."


def test_the_tax_of_the_day_it_was_charged_is_in_the_total(charged: HelpSession, olga: User, settings: Settings) -> None:
    Payment.objects.update(tax_name="VAT", tax_basis_points=2000)
    settings.TAX_NAME, settings.TAX_BASIS_POINTS = "MWST", 810
    tax = receipt_of(charged).tax
    assert tax is not None
    assert (tax.label, tax.value) == ("Includes 20 % VAT", "$1.17")  # 7.00 / 6
    refund(payment=Payment.objects.get(), amount_minor=250, reason="Bad sound", by=olga)
    tax = receipt_of(charged).tax
    assert tax is not None
    assert tax.value == "$0.75"  # 4.50 / 6


@pytest.mark.parametrize(
    ("total", "basis_points", "tax"),
    [(1081, 810, 81), (1000, 2000, 167), (1, 2000, 0), (3, 2000, 1), (700, 810, 52), (0, 2000, 0), (500, 10_000, 250)],
)
def test_tax_by_hand(total: int, basis_points: int, tax: int) -> None:
    assert included_tax(total, basis_points) == tax


@given(total=st.integers(0, 10**10), basis_points=st.integers(0, 10_000))
def test_tax_is_the_nearest_whole_number_and_halves_go_up(total: int, basis_points: int) -> None:
    tax, whole = included_tax(total, basis_points), 10_000 + basis_points
    # −½ < tax − total·bp/(10000+bp) ≤ ½, without a fraction.
    assert -whole < 2 * (tax * whole - total * basis_points) <= whole


@pytest.mark.parametrize(
    ("points", "text"), [(810, "8.1 %"), (2000, "20 %"), (825, "8.25 %"), (5, "0.05 %"), (1000, "10 %")]
)
def test_rates_are_written_as_people_read_them(points: int, text: str) -> None:
    assert percent(points) == text


def test_what_people_wrote_becomes_one_line_that_turns_nothing_around() -> None:
    assert plain("a\x00b\n\u202ecba\u2066 d\u2029e \ud800f") == "a b cba d e f"
    assert plain("שלום 👩‍💻") == "שלום 👩‍💻"


def test_page_and_mail_say_every_line_of_it(client: Client, charged: HelpSession, alice: User, olga: User) -> None:
    Payment.objects.update(tax_name="VAT", tax_basis_points=2000)
    refund(payment=Payment.objects.get(), amount_minor=250, reason="Bad sound", by=olga)
    client.force_login(alice)
    receipt = receipt_of(charged)
    page = unescape(client.get(charged.get_absolute_url()).content.decode())
    mail = render_to_string("sessions/mail/receipt.txt", {"receipt": receipt, "page": "/"})
    assert receipt.tax is not None
    said = [*(word for line in receipt.bill for word in line), *receipt.notes, receipt.total, receipt.tax.label,
            receipt.tax.value, receipt.number, receipt.seller, "no real money moved"]  # fmt: skip
    for words in said:
        assert words in page
        assert words in mail


def test_the_expert_sees_what_was_paid_and_not_the_card(client: Client, charged: HelpSession, eve: User) -> None:
    client.force_login(eve)
    page = client.get(charged.get_absolute_url()).content.decode()
    assert "Alice paid" in page
    assert "4242" not in page
    assert "receipt.pdf" not in page


def test_the_day_a_receipt_last_changed_is_that_of_its_last_refund(charged: HelpSession, olga: User) -> None:
    assert receipt_of(charged).issued_at == charged.settled_at
    made = refund(payment=Payment.objects.get(), amount_minor=250, reason="Bad sound", by=olga)
    assert receipt_of(charged).issued_at == made.created_at > timezone.now() - timedelta(minutes=1)
