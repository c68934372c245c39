"""The log of what operators did: every change is in it, with what and why, and nobody takes a word out."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import ExpertTopic, Topic, User
from accounts.permissions import Team
from billing.capture import capture
from billing.models import DemoIntent, Payment
from billing.payout_accounts import open_account
from sessions_app import cases
from tests.people import alice, bob, eve, make_active, make_request, mona, olga, sam, topic

__all__ = ["alice", "bob", "eve", "mona", "olga", "sam", "topic"]

pytestmark = pytest.mark.django_db

Press = Callable[..., Any]


@pytest.fixture
def press(client: Client, mona: User) -> Press:
    """Mona sends a form of the admin: `press(page, data, *its ids)`."""
    client.force_login(mona)

    def send(name: str, data: dict[str, Any], *args: object) -> Any:
        answer = client.post(reverse(f"admin:{name}", args=args), data)
        assert answer.status_code == 302, answer.content.decode()
        return answer

    return send


def last_words() -> str:
    entry = LogEntry.objects.select_related("user").first()
    assert entry is not None
    assert str(entry.user) == "Mona"
    return entry.get_change_message()


def charged(alice: User, eve: User, topic: Topic) -> Payment:
    reference = make_request(alice, topic).pk
    return capture(reference=reference, payee=eve, amount_minor=3000)


def test_a_refund(press: Press, alice: User, eve: User, topic: Topic) -> None:
    payment = charged(alice, eve, topic)
    press("billing_payment_refund", {"refund_id": str(uuid4()), "amount": "5", "reason": "No sound."}, payment.pk)
    assert last_words() == "Refunded $5.00: No sound."


def test_another_try_to_charge(press: Press, alice: User, eve: User, topic: Topic) -> None:
    reference = make_request(alice, topic).pk
    DemoIntent.objects.update(state=DemoIntent.State.RELEASED)
    payment = capture(reference=reference, payee=eve, amount_minor=3000)
    press("billing_payment_retry", {}, payment.pk)
    assert last_words() == "Tried to charge again: capture failed."


def test_an_answer_to_a_case(press: Press, alice: User, eve: User, topic: Topic) -> None:
    case = cases.report(session=make_active(alice, eve, topic, seconds=200), by=eve, problem="He was rude")
    press("sessions_app_case_change", {"do": "refuse", "answer": "Sorry."}, case.pk)
    assert last_words() == "Answered without a refund."


def test_a_look_at_a_payout_account(press: Press, eve: User) -> None:
    account = open_account(owner=eve)
    press("billing_payoutaccount_changelist", {"action": "look_again", "_selected_action": str(account.pk)})
    assert last_words() == "Looked at the account again: cannot be paid to yet."


def test_a_decision_about_an_expert(press: Press, eve: User) -> None:
    for state, reason, said in (
        ("refused", "No references.", "Engineering / Databases: refused (No references.)."),
        ("approved", "", "Engineering / Databases: approved."),
    ):
        row = ExpertTopic.objects.get(expert=eve.expert)
        form = {
            "topics-TOTAL_FORMS": "1", "topics-INITIAL_FORMS": "1", "topics-0-id": str(row.pk),
            "topics-0-expert": str(eve.expert.pk), "topics-0-seen": row.state, "topics-0-state": state,
            "topics-0-reason": reason,
        }  # fmt: skip
        press("accounts_expertprofile_change", form, eve.expert.pk)
        assert last_words() == said


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("suspend", "Suspended."),
        ("lift_suspension", "Suspension lifted."),
        ("approve_all", "Engineering / Databases: approved."),
    ],
)
def test_a_button_above_the_list_of_experts(press: Press, eve: User, action: str, said: str) -> None:
    if action == "lift_suspension":
        type(eve.expert).objects.update(state="suspended")
    if action == "approve_all":
        ExpertTopic.objects.update(state="applied")
    press("accounts_expertprofile_changelist", {"action": action, "_selected_action": str(eve.expert.pk)})
    assert last_words() == said


def test_a_new_price_with_the_old_one(press: Press, topic: Topic) -> None:
    form = {
        "area": "engineering", "name": "Databases", "slug": "databases", "price_per_minute": "250", "currency": "USD",
        "position": "0",
    }  # fmt: skip
    press("accounts_topic_change", form, topic.pk)
    assert last_words() == "Price per minute: 200 → 250. Is active: yes → no."
    press("accounts_topic_add", form | {"name": "Search", "slug": "search"})
    assert LogEntry.objects.latest("action_time").is_addition()


def test_who_became_an_operator_of_which_group(press: Press, bob: User) -> None:
    form = {"display_name": "Bob", "time_zone": "UTC", "is_active": "on", "is_staff": "on"}
    support = Group.objects.get(name=Team.SUPPORT)
    press("accounts_user_change", form | {"groups": [str(support.pk)]}, bob.pk)
    assert last_words() == "Operator: no → yes. Groups: none → Support."


def test_a_password_is_in_the_log_as_a_fact_and_never_as_a_word(client: Client, olga: User, bob: User) -> None:
    client.force_login(olga)
    form = {"password1": "another-horse-2", "password2": "another-horse-2", "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[bob.pk]), form).status_code == 302
    assert LogEntry.objects.get().get_change_message() == "Changed password."
    form |= {"email": "new@example.org", "display_name": "New"}
    assert client.post(reverse("admin:accounts_user_add"), form).status_code == 302
    assert "another-horse" not in str(list(LogEntry.objects.values()))


# --- reading it ---


@pytest.fixture
def entries(sam: User, mona: User, topic: Topic) -> list[LogEntry]:
    of = LogEntry.objects
    return [
        *of.log_actions(sam.pk, [topic], 2, "Looked at it because of a call."),
        *of.log_actions(mona.pk, [topic], 2, "Price per minute: 200 → 250."),
    ]


def test_the_log_is_found_by_operator_and_by_words(
    client: Client, sam: User, mona: User, bob: User, entries: list[LogEntry]
) -> None:
    client.force_login(sam)
    address = reverse("admin:admin_logentry_changelist")

    def found(**question: str) -> list[str]:
        return [entry.user.display_name for entry in client.get(address, question).context["cl"].result_list]

    assert found() == ["Mona", "Sam"]  # the latest first
    assert found(operator=str(mona.pk)) == ["Mona"]
    assert found(q="because of a call") == ["Sam"]
    assert found(q="mona@example.org") == ["Mona"]
    for nobody in (str(bob.pk), "nonsense"):
        assert found(operator=nobody) == ["Mona", "Sam"]
    page = client.get(address).content.decode()
    assert "topic: Engineering / Databases" in page
    assert "Price per minute: 200 → 250." in page
    assert "Bob" not in page.split("By operator")[1]  # who never did anything is no choice


def test_nobody_writes_into_the_log_or_takes_anything_out(client: Client, olga: User, entries: list[LogEntry]) -> None:
    client.force_login(olga)
    pk = entries[0].pk or LogEntry.objects.values_list("pk", flat=True)[0]
    assert client.get(reverse("admin:admin_logentry_change", args=[pk])).status_code == 200
    assert client.post(reverse("admin:admin_logentry_change", args=[pk]), {"change_message": ""}).status_code == 403
    assert client.post(reverse("admin:admin_logentry_delete", args=[pk]), {"post": "yes"}).status_code == 403
    everything = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
    client.post(reverse("admin:admin_logentry_changelist"), everything)
    assert LogEntry.objects.count() == 2
