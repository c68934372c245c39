"""Operators read every message: to whom, by which way, what became of it, what it cost."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts import outbox
from accounts.admin_messages import cost_text
from accounts.consent import end_consent
from accounts.models import Message, TextConsent, User
from tests.people import give_phone

NUMBER, OTHER = "+436641230001", "+436641230002"
LIST = "admin:accounts_message_changelist"


@pytest.fixture
def texted(eve: User, erin: User) -> Message:
    """A text to Eve that was delivered and cost something; Erin's waits."""
    for person, number in ((eve, NUMBER), (erin, OTHER)):
        outbox.write(
            key=number, to=person, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST, address=number, reference=uuid4()
        )
    Message.objects.filter(to=eve).update(
        state=Message.State.DELIVERED, gateway="twilio", gateway_ref="SM1", cost_micros=72_500, cost_currency="EUR"
    )
    return Message.objects.get(to=eve)


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def shown(operator: Client, **query: str) -> str:
    """Return the list of messages as an operator sees it."""
    answer = operator.get(reverse(LIST), query)
    assert answer.status_code == 200
    return answer.content.decode().split('id="result_list"')[1].split("</table>")[0]


def test_the_list_says_what_became_of_a_text_and_what_it_cost(operator: Client, texted: Message) -> None:
    page = shown(operator)
    for words in ("Eve", "Erin", "Delivered", "Waiting to be sent", "twilio", "0.0725 EUR"):
        assert words in page


@pytest.mark.parametrize("words", ["eve@example.org", NUMBER, "SM1"])
def test_a_text_is_found_by_email_number_or_its_name_at_the_sender(operator: Client, texted: Message, words: str) -> None:
    page = shown(operator, q=words)
    assert "Delivered" in page
    assert "Waiting to be sent" not in page


def test_the_messages_about_a_help_session_are_found_by_its_id(operator: Client, texted: Message) -> None:
    page = shown(operator, q=str(texted.reference))
    assert "Delivered" in page
    assert "Waiting to be sent" not in page


@pytest.mark.parametrize("query", [{"state": "delivered"}, {"gateway": "twilio"}])
def test_the_list_is_filtered(operator: Client, texted: Message, query: dict[str, str]) -> None:
    page = shown(operator, **{f"{name}__exact": value for name, value in query.items()})
    assert NUMBER not in page
    assert "Delivered" in page
    assert "Waiting to be sent" not in page


def test_nothing_is_edited(operator: Client, texted: Message) -> None:
    page = operator.get(reverse("admin:accounts_message_change", args=[texted.pk])).content.decode()
    assert NUMBER in page
    assert 'name="state"' not in page
    assert operator.post(reverse("admin:accounts_message_change", args=[texted.pk])).status_code == 403
    assert operator.get(reverse("admin:accounts_message_delete", args=[texted.pk])).status_code == 403


def test_a_person_shows_the_number_and_every_consent_in_its_words(operator: Client, eve: User) -> None:
    give_phone(eve, NUMBER)
    end_consent(number=NUMBER, by=TextConsent.EndedBy.STOP)
    page = operator.get(reverse("admin:accounts_user_change", args=[eve.pk])).content.decode()
    for words in (NUMBER, "Text me.", "by answering STOP"):
        assert words in page


@pytest.mark.parametrize(
    ("micros", "text"),
    [(72_500, "0.0725 EUR"), (0, "0.00 EUR"), (100_000, "0.10 EUR"), (1, "0.000001 EUR"), (12_000_000, "12.00 EUR")],
)
def test_a_cost_is_written_as_people_read_it(micros: int, text: str) -> None:
    assert cost_text(micros, "EUR") == text
