"""History: filter, search, export; each sees their own."""

import csv
import io
from io import BytesIO
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import Topic, User
from billing.capture import capture
from billing.models import DemoIntent, Payment
from billing.refund import refund
from sessions_app import cancel, chat, files, notes
from sessions_app.models import HelpSession
from tests.people import make_active, make_request
from tests.sessions_app.test_receipts import make_charged

pytestmark = pytest.mark.django_db


def titles(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/sessions/{query}")
    assert answer.status_code == 200
    return [row["session"].title for row in answer.context["rows"]]


def cancelled(customer: User, topic: Topic, title: str) -> HelpSession:
    session = make_request(customer, topic, title=title)
    cancel.cancel(session_id=session.pk, customer=customer)
    return session


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/sessions/export.csv{query}")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_both_sides_find_the_session_and_nobody_else_does(
    client: Client, alice: User, bob: User, eve: User, topic: Topic
) -> None:
    make_active(alice, eve, topic, seconds=10)
    for person, found in ((alice, ["Query is slow"]), (eve, ["Query is slow"]), (bob, [])):
        client.force_login(person)
        assert titles(client) == found
        assert [row["Title"] for row in rows(client)] == found


def test_it_filters_and_searches(client: Client, alice: User, eve: User, topic: Topic) -> None:
    cancelled(alice, topic, "Old one about Redis")
    make_active(alice, eve, topic, seconds=10)
    client.force_login(alice)
    assert titles(client) == ["Query is slow", "Old one about Redis"]
    assert titles(client, "?state=cancelled") == ["Old one about Redis"]
    assert titles(client, "?state=open") == ["Query is slow"]
    assert titles(client, "?q=redis") == ["Old one about Redis"]
    assert titles(client, "?role=expert") == []
    assert [row["Title"] for row in rows(client, "?q=redis")] == ["Old one about Redis"]


@pytest.mark.parametrize("query", ["?page=abc", "?page=99999", "?page=-1", "?role=king", "?state=%00", "?q=" + "x" * 500])
def test_a_strange_address_is_no_error(client: Client, alice: User, topic: Topic, query: str) -> None:
    cancelled(alice, topic, "One")
    client.force_login(alice)
    assert client.get(f"/sessions/{query}").status_code == 200
    assert client.get(f"/sessions/export.csv{query}").status_code == 200


def test_no_spreadsheet_takes_a_title_for_a_formula(client: Client, alice: User, topic: Topic) -> None:
    cancelled(alice, topic, "=HYPERLINK(1)")
    client.force_login(alice)
    assert rows(client)[0]["Title"] == "'=HYPERLINK(1)"


# --- money: what was paid, not what was due ---

MONEY = ("Amount (minor units)", "Charged (minor units)", "Refunded (minor units)")


def money_of(client: Client, person: User) -> tuple[str, list[str]]:
    """Return what the history page of `person` says of the one session's money, and what the CSV does."""
    client.force_login(person)
    page = client.get("/sessions/").content.decode()
    cell = page.partition('data-label="Amount"')[2].partition("</td>")[0].partition(">")[2]
    [row] = rows(client)
    return " ".join(strip_tags(cell).split()), [row[name] for name in MONEY]


def test_the_customer_reads_what_they_paid_and_the_expert_what_is_theirs(
    client: Client, alice: User, eve: User, olga: User, topic: Topic
) -> None:
    session = make_charged(alice, eve, topic)
    assert money_of(client, alice) == ("$7.00", ["700", "700", "0"])
    assert money_of(client, eve) == ("$5.60 your share", ["560", "", ""])
    refund(payment=Payment.objects.get(reference=session.pk), amount_minor=250, reason="Bad sound", by=olga)
    assert money_of(client, alice) == ("$4.50 $2.50 refunded", ["450", "700", "250"])
    assert money_of(client, eve) == ("$3.60 your share", ["360", "", ""])


def test_too_little_to_charge_is_nothing_paid(client: Client, alice: User, eve: User, topic: Topic) -> None:
    make_charged(alice, eve, topic, seconds=130, amount_minor=34)
    assert money_of(client, alice) == ("$0.00", ["0", "0", "0"])
    assert money_of(client, eve) == ("$0.00 your share", ["0", "", ""])


def test_what_is_due_and_not_paid_is_called_due(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=330)
    HelpSession.objects.filter(pk=session.pk).update(state="ended", settled_at=timezone.now(), amount_minor=700)
    DemoIntent.objects.update(state=DemoIntent.State.RELEASED)
    assert capture(reference=session.pk, payee=eve, amount_minor=700).state == Payment.State.FAILED
    assert money_of(client, alice) == ("$7.00 due", ["0", "0", "0"])
    assert money_of(client, eve) == ("–", ["0", "", ""])


def test_before_the_bill_there_is_no_amount(client: Client, alice: User, eve: User, topic: Topic) -> None:
    make_active(alice, eve, topic, seconds=10)
    assert money_of(client, alice) == ("–", ["0", "0", "0"])
    assert money_of(client, eve) == ("–", ["0", "", ""])


def test_the_export_says_how_much_was_written(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    for body in ("one", "two"):
        chat.say(session=session, author=eve, message_id=uuid4(), body=body)
    files.attach(session=session, author=alice, message_id=uuid4(), name="a.txt", content=BytesIO(b"words"))
    for written, said in ((None, "no"), (["Add the index."], "yes")):
        if written:
            notes.edit(session=session, author=eve, edit_id=uuid4(), base=0, steps=written)
        for person in (alice, eve):
            client.force_login(person)
            (row,) = rows(client)
            assert (row["Chat lines"], row["Files"], row["Notes"]) == ("2", "1", said)
