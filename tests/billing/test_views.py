"""The pages of billing: for whom, what they take and what they answer."""

from typing import Literal, NamedTuple
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from billing import cards
from billing.holds import HoldNeedsAction
from billing.models import Card, Hold, Payment
from billing.refund import refund
from billing.release import release
from tests.billing.conftest import approved_card, asking_card, charged, declined_card, hold, placed

Method = Literal["get", "post", "put"]


class Row(NamedTuple):
    method: Method
    name: str
    of: str
    statuses: tuple[int, int, int, int, int]


#                                     visitor alice bob  eve  olga
TABLE = [
    Row("get", "billing", "",               (302, 200, 200, 200, 200)),
    Row("post", "billing", "",              (302, 405, 405, 405, 405)),
    Row("get", "card_add", "",              (302, 200, 200, 200, 200)),
    Row("post", "card_add", "",             (302, 422, 422, 422, 422)),
    Row("put", "card_add", "",              (302, 405, 405, 405, 405)),
    Row("get", "card_remove", "card",       (302, 405, 405, 405, 405)),
    Row("post", "card_remove", "card",      (302, 302, 404, 404, 404)),
    Row("post", "card_remove", "nothing",   (302, 404, 404, 404, 404)),
    Row("get", "card_default", "card",      (302, 405, 405, 405, 405)),
    Row("post", "card_default", "card",     (302, 302, 404, 404, 404)),
    Row("post", "card_default", "nothing",  (302, 404, 404, 404, 404)),
    Row("get", "demo_bank", "waiting",      (302, 200, 404, 404, 404)),
    Row("post", "demo_bank", "waiting",     (302, 422, 404, 404, 404)),
    Row("put", "demo_bank", "waiting",      (302, 405, 405, 405, 405)),
    Row("get", "demo_bank", "placed",       (302, 302, 404, 404, 404)),
    Row("get", "demo_bank", "nothing",      (302, 404, 404, 404, 404)),
    Row("get", "earnings", "",              (302, 404, 404, 200, 404)),
    Row("post", "earnings", "",             (302, 405, 405, 405, 405)),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.name} {row.of}".strip())
def test_every_address_against_every_kind_of_person(
    client: Client, alice: User, bob: User, eve: User, olga: User, row: Row
) -> None:
    waiting = hold(asking_card(alice))
    assert isinstance(waiting, HoldNeedsAction)
    things = {
        "card": approved_card(alice).pk,
        "waiting": waiting.hold.pk,
        "placed": placed(approved_card(alice)).pk,
        "nothing": uuid4(),
    }
    address = reverse(row.name, args=[things[row.of]] if row.of else [])
    found = []
    # Alice comes last: what she does changes what is there.
    for who in (None, bob, eve, olga, alice):
        client.logout()
        if who is not None:
            client.force_login(who)
        found.append(getattr(client, row.method)(address).status_code)
    visitor, for_bob, for_eve, for_olga, for_alice = found
    assert (visitor, for_alice, for_bob, for_eve, for_olga) == row.statuses


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_adding_a_test_card(as_alice: Client, alice: User) -> None:
    response = as_alice.post(reverse("card_add"), {"card": "demo_approved"})
    assert response.status_code == 302
    assert response["Location"] == reverse("billing")
    card = cards.default_card(alice)
    assert card is not None
    assert (card.brand, card.last4, card.gateway) == ("Visa", "4242", "demo")
    assert "no real money" in as_alice.get(reverse("billing")).content.decode()


@pytest.mark.parametrize(
    ("value", "sentence"), [("", "Choose a test card."), ("gold", "Choose one of the test cards listed.")]
)
def test_a_wrong_card_is_said_at_the_field(as_alice: Client, value: str, sentence: str) -> None:
    response = as_alice.post(reverse("card_add"), {"card": value})
    assert response.status_code == 422
    assert response.context["add_form"].errors == {"card": [sentence]}
    assert sentence in response.content.decode()
    assert not Card.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/ask/", "/ask/"),
        ("https://evil.example/", "/billing/"),
        ("//evil.example/", "/billing/"),
        ("javascript:alert(1)", "/billing/"),
        ("", "/billing/"),
    ],
)
def test_next_leads_to_our_own_pages_only(as_alice: Client, wanted: str, got: str) -> None:
    shown = as_alice.get(reverse("card_add"), {"next": wanted})
    assert shown.context["next"] == (wanted if got == wanted else "")
    assert as_alice.post(reverse("card_add"), {"card": "demo_approved", "next": wanted})["Location"] == got


def test_removing_and_choosing_the_default(as_alice: Client, alice: User) -> None:
    first, second, third = approved_card(alice), declined_card(alice), asking_card(alice)
    as_alice.post(reverse("card_default", args=[third.pk]))
    as_alice.post(reverse("card_remove", args=[first.pk]))
    assert list(as_alice.get(reverse("billing")).context["cards"]) == [third, second]
    assert as_alice.post(reverse("card_remove", args=[first.pk])).status_code == 404


def test_cards_cannot_be_added_like_this_with_a_real_gateway(as_alice: Client, settings: Settings) -> None:
    settings.PAYMENTS = "stripe"
    assert as_alice.post(reverse("card_add"), {"card": "demo_approved"}).status_code == 404


@pytest.mark.parametrize(("answer", "state"), [("approve", Hold.State.PLACED), ("refuse", Hold.State.DECLINED)])
def test_the_demo_banks_answer_finishes_the_hold(as_alice: Client, alice: User, answer: str, state: Hold.State) -> None:
    waiting = hold(asking_card(alice))
    assert isinstance(waiting, HoldNeedsAction)
    page = as_alice.get(waiting.url)
    assert page.context["hold"].pk == waiting.hold.pk
    assert "$30.00" in page.content.decode()
    response = as_alice.post(waiting.url, {"answer": answer})
    assert response["Location"] == reverse("session", args=[waiting.hold.payment.reference])
    waiting.hold.refresh_from_db()
    assert waiting.hold.state == state
    # Pressed again from the back button: the first answer stands.
    as_alice.post(waiting.url, {"answer": "approve"})
    waiting.hold.refresh_from_db()
    assert waiting.hold.state == state


def test_another_answer_to_the_bank_changes_nothing(as_alice: Client, alice: User) -> None:
    waiting = hold(asking_card(alice))
    assert isinstance(waiting, HoldNeedsAction)
    assert as_alice.post(waiting.url, {"answer": "maybe"}).status_code == 422
    waiting.hold.refresh_from_db()
    assert waiting.hold.state == Hold.State.PENDING


def test_receipts_are_ones_own_and_come_in_pages(as_alice: Client, alice: User, bob: User, eve: User) -> None:
    for index in range(23):
        Payment.objects.create(
            reference=uuid4(), payer=alice, currency="USD", description=f"Session {index}", state=Payment.State.CHARGED
        )
    theirs = charged(bob, eve, 900)
    first = as_alice.get(reverse("billing"))
    assert len(first.context["payments"]) == 20
    assert theirs not in first.context["payments"]
    for page in ("2", "99", "x"):
        assert as_alice.get(reverse("billing"), {"page": page}).status_code == 200
    assert len(as_alice.get(reverse("billing"), {"page": "2"}).context["payments"]) == 3


def test_a_try_that_came_to_nothing_is_no_receipt(as_alice: Client, alice: User) -> None:
    hold(declined_card(alice))
    hold(asking_card(alice))
    held = placed(approved_card(alice)).payment
    assert list(as_alice.get(reverse("billing")).context["payments"]) == [held]


def test_a_page_nobody_paid_on_is_no_receipt_once_it_is_closed(as_alice: Client, alice: User) -> None:
    nothing = hold(asking_card(alice))
    assert isinstance(nothing, HoldNeedsAction)
    reference = placed(approved_card(alice)).payment.reference
    for closed in (nothing.hold.payment.reference, reference):
        release(reference=closed)
    assert Payment.objects.filter(state=Payment.State.RELEASED).count() == 2
    assert [payment.reference for payment in as_alice.get(reverse("billing")).context["payments"]] == [reference]


def test_earnings_show_the_balance_and_every_entry(client: Client, alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 1000)
    refund(payment=payment, amount_minor=500, reason="r", by=olga)
    client.force_login(eve)
    page = client.get(reverse("earnings"))
    assert page.context["balance"] == [("USD", 400)]
    assert [(line.share_minor, line.refunds_minor, line.net_minor) for line in page.context["lines"]] == [(800, -400, 400)]
    assert "$4.00" in page.content.decode()


@pytest.mark.parametrize("address", ["billing", "earnings"])
def test_more_rows_make_no_more_queries(
    client: Client, alice: User, eve: User, django_assert_max_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    client.force_login(alice if address == "billing" else eve)
    charged(alice, eve, 900)
    client.get(reverse(address))
    with django_assert_max_num_queries(20) as few:
        client.get(reverse(address))
    for _ in range(12):
        charged(alice, eve, 900, 800, 800)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(reverse(address))
