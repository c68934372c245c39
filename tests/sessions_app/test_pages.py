"""The pages of a session's life through plain forms: what is shown, and what bad input gets."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Topic, User
from billing.models import Hold, Payment
from sessions_app import end
from sessions_app.models import HelpSession, Rating, State, TimelineEntry
from sessions_app.release import return_to_queue
from tests.people import give_card, make_accepted, make_active, make_request

pytestmark = pytest.mark.django_db

JSON = {"HTTP_ACCEPT": "application/json"}


def ask_form(topic: Topic, /, **changes: str) -> dict[str, str]:
    return {"topic": str(topic.pk), "title": "Slow query", "details": "", "cap_minutes": "15", **changes}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topic", ""),
        ("topic", "nonsense"),
        ("topic", "00000000-0000-0000-0000-000000000000"),
        ("title", ""),
        ("title", "x" * 121),
        ("title", "nul\x00byte"),
        ("details", "x" * 5001),
        ("cap_minutes", "7"),
        ("cap_minutes", "all"),
        ("card", "nonsense"),
        ("card", ""),
    ],
)
def test_bad_input_gets_a_sentence_at_its_field_and_writes_nothing(
    client: Client, alice: User, topic: Topic, field: str, value: str
) -> None:
    card = give_card(alice)
    client.force_login(alice)
    answer = client.post("/ask/", ask_form(topic, **{"card": str(card.pk), field: value}))
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not HelpSession.objects.exists()
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("kind", "answer", "sentence"),
    [
        (1, None, "could not be used"),
        (2, None, "Your bank wants to see that it is you"),
        (2, "refuse", "could not be used"),
    ],
)
def test_what_is_not_sent_yet_says_why(
    client: Client, alice: User, topic: Topic, kind: int, answer: str | None, sentence: str
) -> None:
    client.force_login(alice)
    asked = client.post("/ask/", ask_form(topic, card=str(give_card(alice, kind).pk)))
    if answer:
        client.post(asked["Location"], {"answer": answer})
    draft = HelpSession.objects.get(state=State.DRAFT)
    page = client.get(draft.get_absolute_url())
    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_in_the_moment_between_the_hold_and_the_experts_the_page_says_that_the_money_is_held(
    client: Client, alice: User, topic: Topic
) -> None:
    client.force_login(alice)
    client.post("/ask/", ask_form(topic, card=str(give_card(alice, 2).pk)))
    # Another process wrote down the bank's answer, and comes to the request next.
    Hold.objects.update(state=Hold.State.PLACED)
    page = client.get(HelpSession.objects.get(state=State.DRAFT).get_absolute_url()).content.decode()
    assert "is held, and nothing is charged." in page
    assert "Your request goes out to the experts in this moment." in page
    assert "Your words are kept" not in page


def test_receipts_name_the_words_that_were_sent_last(client: Client, alice: User, topic: Topic) -> None:
    client.force_login(alice)
    client.post("/ask/", ask_form(topic, title="First words", card=str(give_card(alice, 1).pk)))
    client.post("/ask/", ask_form(topic, title="Last words", card=str(give_card(alice).pk)))
    assert Payment.objects.get().description == "Last words"


def test_a_customer_is_told_when_an_expert_did_not_come(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    return_to_queue(session_id=session.pk, expert=eve, by=None, kind=TimelineEntry.Kind.RETURNED)
    client.force_login(alice)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Eve did not come in time." in page
    assert "nothing is charged" in page


def test_a_title_is_one_line(client: Client, alice: User, topic: Topic) -> None:
    client.force_login(alice)
    client.post("/ask/", ask_form(topic, title="a\nBcc: everybody@example.org", card=str(give_card(alice).pk)))
    assert HelpSession.objects.get().title == "a Bcc: everybody@example.org"


@pytest.mark.parametrize("after", ["foo", "session", "a b", "//evil.example", "https://evil.example/", "javascript:x"])
def test_adding_a_card_leads_nowhere_strange(client: Client, alice: User, after: str) -> None:
    client.force_login(alice)
    answer = client.post("/billing/cards/add/", {"card": "demo_approved", "next": after})
    assert answer.status_code == 302
    assert answer["Location"] == "/billing/"


def test_somebody_elses_card_is_none_to_choose(client: Client, alice: User, bob: User, topic: Topic) -> None:
    give_card(alice)
    client.force_login(alice)
    answer = client.post("/ask/", ask_form(topic, card=str(give_card(bob).pk)))
    assert answer.status_code == 422
    assert answer.context["form"].errors["card"]


def test_a_topic_taken_off_the_list_cannot_be_asked_for(client: Client, alice: User, topic: Topic) -> None:
    card = give_card(alice)
    Topic.objects.update(is_active=False)
    client.force_login(alice)
    answer = client.post("/ask/", ask_form(topic, card=str(card.pk)))
    assert answer.context["form"].errors["topic"]


def test_the_landing_page_says_what_it_costs_by_the_rule_that_bills(client: Client, topic: Topic) -> None:
    page = client.get("/").content.decode()
    assert "$2.00/min" in page
    assert "$46.00" in page  # 25 minutes, 2 of them free, at $2.00


def test_the_waiting_page_says_how_many_were_alerted_and_how_long_it_takes(
    client: Client, alice: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    client.force_login(alice)
    page = client.get(session.get_absolute_url())
    assert page.context["happening"].alerted == 0
    assert "No expert for Databases has the board open" in page.content.decode()


def test_accepting_too_late_leads_back_to_the_board_with_a_sentence(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    client.force_login(erin)
    answer = client.post(reverse("session_accept", args=[session.pk]), follow=True)
    assert answer.redirect_chain == [("/expert/", 302)]
    assert "Another expert took this one" in answer.content.decode()
    again = client.post(reverse("session_accept", args=[session.pk]), **JSON)  # type: ignore[arg-type]
    assert again.status_code == 409
    assert "Another expert took this one" in again.json()["error"]


@pytest.mark.parametrize("action", ["pause", "resume", "end", "extend"])
def test_what_cannot_be_done_now_says_so(client: Client, alice: User, eve: User, topic: Topic, action: str) -> None:
    session = make_accepted(alice, eve, topic)
    client.force_login(alice)
    answer = client.post(reverse(f"session_{action}", args=[session.pk]), **JSON)  # type: ignore[arg-type]
    assert answer.status_code == 409
    assert answer.json()["error"].endswith(".")
    session.refresh_from_db()
    assert session.state == State.ACCEPTED


def test_a_session_is_rated_once(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    end.end(session=session, by=alice)
    client.force_login(alice)
    address = reverse("session_rate", args=[session.pk])
    wrong = client.post(address, {"stars": "6", "solved": "maybe"})
    assert wrong.status_code == 422
    assert set(wrong.context["rating_form"].errors) == {"stars", "solved"}
    assert client.post(address, {"stars": "5", "solved": "yes"}).status_code == 302
    assert "rated this session already" in client.post(address, {"stars": "1", "solved": "no"}, follow=True).content.decode()
    assert Rating.objects.get().stars == 5


def test_ask_again_brings_ones_own_words_and_nobody_elses(client: Client, alice: User, bob: User, topic: Topic) -> None:
    theirs = make_request(bob, topic, title="Bob's secret")
    client.force_login(alice)
    for again in (str(theirs.pk), "nonsense", ""):
        assert "Bob&#x27;s secret" not in client.get(f"/ask/?again={again}").content.decode()


def test_a_reported_problem_reaches_the_operators_only(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    client.force_login(alice)
    client.post(reverse("session_report", args=[session.pk]), {"problem": "Eve was silent"})
    assert session.timeline.filter(kind="reported", note="Eve was silent").exists()
    end.end(session=session, by=alice)
    client.force_login(eve)
    assert "Eve was silent" not in client.get(session.get_absolute_url()).content.decode()


def test_pages_say_the_times_that_are_set(
    client: Client, alice: User, bob: User, eve: User, topic: Topic, settings: Settings
) -> None:
    settings.EXPERT_JOIN_SECONDS = 300
    settings.ABSENCE_ENDS_SECONDS = 45
    client.force_login(eve)
    asked = client.get(make_request(alice, topic).get_absolute_url()).content.decode()
    assert "You then have 5 min to join the call." in asked
    accepted = client.get(make_accepted(bob, eve, topic).get_absolute_url()).content.decode()
    assert "join within 5 min, or" in accepted
    assert 'data-absence="45 s"' in accepted


def test_what_people_write_is_shown_as_text(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic, title="<script>alert(1)</script>")
    client.force_login(alice)
    assert "<script>alert(1)" not in client.get(session.get_absolute_url()).content.decode()
