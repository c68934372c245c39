"""Disputes as operators see them: what is due first, and what to answer with."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing import signals
from billing.evidence import EvidenceLine, as_text, evidence_for
from billing.models import Dispute, Payment
from billing.refund import refund
from tests.billing.conftest import charged, person

LISTED = "admin:billing_dispute_changelist"


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def disputed(payment: Payment, *, days: float | None = 7, state: Dispute.State = Dispute.State.NEEDS_ANSWER) -> Dispute:
    """Return a dispute of the whole charge that wants an answer in so many days."""
    return Dispute.objects.create(
        payment=payment,
        hold=payment.holds.get(),
        gateway="demo",
        gateway_ref=str(uuid4()),
        amount_minor=payment.charged_minor,
        expert_minor=payment.charged_minor * 8 // 10,
        reason="product not received",
        state=state,
        answer_by=None if days is None else timezone.now() + timedelta(days=days),
    )


def address(dispute: Dispute) -> str:
    return reverse("admin:billing_dispute_change", args=[dispute.pk])


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who knows what the payment is for."""

    def tell(payment: Payment, **_: Any) -> list[EvidenceLine]:
        return [EvidenceLine(payment.created_at - timedelta(minutes=3), "Alice", "Asked for <b>help</b>.")]

    monkeypatch.setattr(signals.evidence_asked, "receivers", [])
    signals.evidence_asked.connect(tell, weak=False)


def test_what_is_due_first_is_first_and_what_is_overdue_says_so(operator: Client, alice: User, eve: User) -> None:
    payments = [charged(alice, eve, 1000) for _ in range(5)]
    late, later = disputed(payments[4], days=-1), disputed(payments[3], days=9)
    undated = disputed(payments[2], days=None, state=Dispute.State.INQUIRY)
    decided = disputed(payments[1], days=1, state=Dispute.State.UNDER_REVIEW)
    lost = disputed(payments[0], days=-20, state=Dispute.State.LOST)
    answer = operator.get(reverse(LISTED))
    assert list(answer.context["cl"].result_list) == [late, later, undated, decided, lost]
    page = answer.content.decode()
    assert page.count("overdue") == 1
    for words in ("$10.00", "product not received", "My query is slow", "Needs an answer"):
        assert words in page


def test_a_dispute_shows_the_evidence_as_a_table_and_as_text_to_copy(
    operator: Client, alice: User, eve: User, olga: User, heard: None
) -> None:
    payment = charged(alice, eve, 1000)
    refund(payment=payment, amount_minor=100, reason="Slow", by=olga)
    page = operator.get(address(disputed(payment))).content.decode()
    table, text = page.split("<textarea", 1)
    for words in ("Asked for &lt;b&gt;help&lt;/b&gt;.", "$10.00 on Visa ending 4242: held.", "$10.00 charged",
                  "$1.00 given back: Slow", "Disputes $10.00: product not received."):  # fmt: skip
        assert words in table, words
        assert words in text, words
    assert "readonly" in text.split(">", 1)[0]
    assert alice.email in text
    assert reverse("admin:billing_payment_change", args=[payment.pk]) in page


def test_evidence_is_in_the_order_it_happened_whoever_tells(alice: User, eve: User, heard: None) -> None:
    lines = evidence_for(charged(alice, eve, 1000))
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert lines[0].who == "Alice"


def test_a_listener_that_fails_is_said_and_hides_nothing_else(
    alice: User, eve: User, heard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> list[EvidenceLine]:
        raise LookupError

    signals.evidence_asked.connect(fail, weak=False)
    words = [line.what for line in evidence_for(charged(alice, eve, 1000))]
    assert "A part of this list could not be read. Tell an engineer." in words
    assert any("charged" in what for what in words)
    assert "Asked for <b>help</b>." in words


def test_the_text_has_utc_whatever_zone_it_is_read_in(alice: User, eve: User) -> None:
    payment = charged(alice, eve, 1000)
    text = as_text(payment, [EvidenceLine(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "Alice", "Asked.")])
    assert "2026-11-23 12:00:00 UTC  Alice: Asked." in text


@pytest.mark.parametrize(
    ("who", "status"), [("visitor", 302), ("alice", 302), ("eve", 302), ("nobody", 403), ("looker", 200), ("olga", 200)]
)
def test_disputes_are_for_operators_who_may_look(
    client: Client, alice: User, eve: User, olga: User, who: str, status: int
) -> None:
    dispute = disputed(charged(alice, eve, 1000))
    people = {"alice": alice, "eve": eve, "olga": olga}
    for name, codenames in (("nobody", []), ("looker", ["view_dispute"])):
        people[name] = person(name, is_staff=True)
        people[name].user_permissions.set(Permission.objects.filter(codename__in=codenames))
    if who != "visitor":
        client.force_login(people[who])
    assert client.get(reverse(LISTED)).status_code == status
    assert client.get(address(dispute)).status_code == status
    assert client.post(address(dispute), {"state": "won"}).status_code in (302, 403)
    assert client.post(reverse("admin:billing_dispute_delete", args=[dispute.pk]), {"post": "yes"}).status_code in (302, 403)
    dispute.refresh_from_db()
    assert dispute.state == Dispute.State.NEEDS_ANSWER


def test_the_admins_first_page_says_how_many_wait_for_our_side(operator: Client, alice: User, eve: User) -> None:
    assert "wait for our side" not in operator.get("/admin/").content.decode()
    for state in (Dispute.State.NEEDS_ANSWER, Dispute.State.INQUIRY, Dispute.State.UNDER_REVIEW):
        disputed(charged(alice, eve, 1000), state=state)
    assert "2 disputes wait for our side" in operator.get("/admin/").content.decode()


def test_more_disputes_make_no_more_queries(
    operator: Client, alice: User, eve: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dispute = disputed(charged(alice, eve, 1000))
    for page in (reverse(LISTED), address(dispute)):
        operator.get(page)
    with django_assert_max_num_queries(12) as listed:
        operator.get(reverse(LISTED))
    with django_assert_max_num_queries(20) as shown:
        operator.get(address(dispute))
    for number in range(4):
        disputed(charged(person(f"Ann{number}"), eve, 1000))
        disputed(dispute.payment)
    with django_assert_max_num_queries(len(listed.captured_queries)):
        operator.get(reverse(LISTED))
    with django_assert_max_num_queries(len(shown.captured_queries)):
        operator.get(address(dispute))
