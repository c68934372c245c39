"""Reports as operators see them: what waits, all that is known, and the answer."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Topic, User
from billing.models import Refund
from sessions_app import cases, rate
from sessions_app.answer import refuse
from sessions_app.models import Case, HelpSession
from tests.people import be_present, make_person
from tests.sessions_app.test_answers import crash_before_the_money
from tests.sessions_app.test_cases import payment_of
from tests.sessions_app.test_never_worked import ended

pytestmark = pytest.mark.django_db

LISTED = "admin:sessions_app_case_changelist"


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture
def case(alice: User, eve: User, topic: Topic) -> Case:
    """Alice's report of a session that was charged $4.00."""
    session = ended(alice, eve, topic, media=True)
    return cases.report(session=session, by=alice, problem="Eve was silent\nall the time")


def address(case: Case) -> str:
    return reverse("admin:sessions_app_case_change", args=[case.pk])


def another(customer: User, expert: User, topic: Topic, *, hours: float = 0) -> Case:
    """Return an open case of a new session, reported so long ago."""
    session = ended(customer, expert, topic, media=True)
    case = cases.report(session=session, by=customer, problem="Silent")
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(hours=hours))
    return case


def test_the_list_has_what_waits_first_and_of_that_the_oldest(
    operator: Client, case: Case, bob: User, eve: User, olga: User, topic: Topic
) -> None:
    refuse(case=case, operator=olga, answer="No.")
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(days=3))
    younger, older = another(bob, eve, topic, hours=2), another(bob, eve, topic, hours=30)
    answer = operator.get(reverse(LISTED))
    assert list(answer.context["cl"].result_list) == [older, younger, case]
    page = answer.content.decode()
    for words in ("Bob (customer)", "1\xa0day ago", "2\xa0hours ago", "$4.00", "Refused"):
        assert words in page, words
    assert list(operator.get(reverse(LISTED), {"state__exact": "refused"}).context["cl"].result_list) == [case]


def test_a_case_shows_all_that_is_known(operator: Client, case: Case, alice: User) -> None:
    session = case.session
    rate.rate(session=session, customer=alice, stars=2, solved="no", comment="Hm")
    page = operator.get(address(case)).content.decode()
    for words in (
        "Eve was silent<br>all the time", alice.email, "Asked for help in Engineering / Databases", "It was fast.",
        "on Visa ending 4242: held", "Came into the room", "Was connected", "Left the room", "$4.00 charged",
        "Rated the session 2 of 5", "Reported a problem", "earnings from it wait",
        reverse("admin:billing_payment_change", args=[payment_of(session).pk]), 'value="$4.00"',
        "Refund and answer", "Refuse and answer", "cannot be taken back",
    ):  # fmt: skip
        assert words in page, words


def test_the_refund_journey(operator: Client, case: Case, olga: User) -> None:
    data = {"amount": "1.50", "answer": "Sorry about that.", "do": "refund"}
    page = operator.post(address(case), data, follow=True).content.decode()
    assert "Answered: $1.50 went back. Alice gets the answer by mail." in page
    assert "Olga answered on" in page
    assert "Refund and answer" not in page
    case.refresh_from_db()
    assert case.refund is not None
    assert (case.state, case.answer, case.answered_by) == (Case.State.REFUNDED, "Sorry about that.", olga)
    assert case.refund.amount_minor == 150
    assert "Answered: $1.50" in operator.get(reverse("admin:sessions_app_case_history", args=[case.pk])).content.decode()


def test_refusing_asks_for_no_amount(operator: Client, case: Case) -> None:
    page = operator.post(address(case), {"amount": "x", "answer": "All was well.", "do": "refuse"}, follow=True)
    assert "Answered without a refund." in page.content.decode()
    assert not Refund.objects.exists()


def test_all_that_is_left_given_back_by_a_button_pressed_twice_goes_back_once(operator: Client, case: Case) -> None:
    for _ in range(2):
        assert operator.post(address(case), {"amount": "4.00", "answer": "Sorry.", "do": "refund"}).status_code == 302
    assert Refund.objects.get().amount_minor == 400


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "4.01"}, "Only $4.00 of this charge is left"),
        ({"amount": "0"}, "Give back more than nothing"),
        ({"amount": ""}, "Write the amount as a number"),
        ({"amount": "-1"}, "Write the amount as a number"),
        ({"answer": " "}, "Write an answer"),
        ({"answer": "x" * 2001}, "at most 2000 characters"),
        ({"do": ""}, "Press “Refund and answer” or “Refuse and answer”."),
    ],
)
def test_what_does_not_do_is_said_and_nothing_is_sent(
    operator: Client, case: Case, change: dict[str, str], sentence: str
) -> None:
    answer = operator.post(address(case), {"amount": "1", "answer": "Sorry.", "do": "refund", **change})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    case.refresh_from_db()
    assert case.state == Case.State.OPEN
    assert not Refund.objects.exists()


def test_who_answers_second_keeps_nothing_to_press_and_is_told(operator: Client, case: Case) -> None:
    oscar = make_person("oscar@example.org", "Oscar")
    refuse(case=case, operator=oscar, answer="All was well.")
    answer = operator.post(address(case), {"amount": "1", "answer": "Sorry.", "do": "refund"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Oscar answered this report meanwhile" in page
    assert "Refund and answer" not in page


def test_a_refund_that_did_not_get_through_waits_and_can_only_be_finished(operator: Client, case: Case, olga: User) -> None:
    crash_before_the_money(case, olga)
    assert "Refund not made yet" in operator.get(reverse(LISTED)).content.decode()
    page = operator.get(address(case)).content.decode()
    assert "Olga decided to give money back here" in page
    assert "Refuse and answer" not in page
    assert operator.post(address(case), {"amount": "4", "answer": "Sorry.", "do": "refund"}).status_code == 302
    case.refresh_from_db()
    assert case.refund is not None


@pytest.mark.parametrize(
    ("codenames", "looks", "refuses", "refunds"),
    [
        (["view_case"], 200, 403, 403),
        (["view_case", "change_case"], 200, 302, 403),
        (["view_case", "change_case", "view_payment", "add_refund"], 200, 302, 302),
        (["view_payment", "add_refund"], 403, 403, 403),
    ],
)
def test_looking_answering_and_refunding_are_three_permissions(
    client: Client, case: Case, codenames: list[str], looks: int, refuses: int, refunds: int
) -> None:
    oscar = make_person("oscar@example.org", "Oscar")
    User.objects.filter(pk=oscar.pk).update(is_staff=True)
    oscar.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(oscar)
    answer = client.get(address(case))
    assert answer.status_code == looks
    page = answer.content.decode()
    assert ("Refuse and answer" in page) == (refuses == 302)
    assert ("Refund and answer" in page) == (refunds == 302)
    for do, status in (("refund", refunds), ("refuse", refuses)):
        assert client.post(address(case), {"amount": "1", "answer": "A", "do": do}).status_code == status
        Case.objects.update(state=Case.State.OPEN, refund=None)


@pytest.mark.parametrize("pk", ["00000000-0000-0000-0000-000000000000", "nonsense"])
def test_a_case_that_is_not_there_leads_back_with_a_sentence(operator: Client, pk: str) -> None:
    answer = operator.get(f"/admin/sessions_app/case/{pk}/change/", follow=True)
    assert answer.redirect_chain
    assert "doesn’t exist" in answer.content.decode()


def test_the_admins_first_page_says_what_waits(operator: Client, case: Case, olga: User) -> None:
    assert "1 case waits for an answer" in operator.get("/admin/").content.decode()
    refuse(case=case, operator=olga, answer="No.")
    assert "waits for an answer" not in operator.get("/admin/").content.decode()


def test_more_cases_and_longer_sessions_make_no_more_queries(
    operator: Client,
    case: Case,
    alice: User,
    bob: User,
    eve: User,
    topic: Topic,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for page in (reverse(LISTED), address(case)):
        operator.get(page)
    with django_assert_max_num_queries(12) as listed:
        operator.get(reverse(LISTED))
    with django_assert_max_num_queries(35) as shown:
        operator.get(address(case))
    for _ in range(3):
        another(bob, eve, topic)
    longer = lengthen(case.session, alice, eve)
    with django_assert_max_num_queries(len(listed.captured_queries)):
        operator.get(reverse(LISTED))
    with django_assert_max_num_queries(len(shown.captured_queries)):
        assert "Line 7" in operator.get(address(case)).content.decode()
    assert longer.chat.count() == 16


def lengthen(session: HelpSession, *people: User) -> HelpSession:
    """Give the session's past more presence and chat."""
    for number in range(8):
        for person in people:
            be_present(session, person, timezone.now(), left=timezone.now())
            session.chat.create(pk=uuid4(), author=person, body=f"Line {number}")
    return session
