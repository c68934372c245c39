"""History: filter, search, export; each sees their own."""

import csv
import io

import pytest
from django.test import Client

from accounts.models import Topic, User
from sessions_app import cancel
from sessions_app.models import HelpSession
from tests.people import make_active, make_request

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
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


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
