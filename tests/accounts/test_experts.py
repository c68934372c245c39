"""Becoming an expert, and what an operator decides."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import experts
from accounts.models import ExpertProfile, Topic, User
from hopps.errors import Refused
from sessions_app.matching import approved_topic_ids, requests_for
from tests.people import make_request

pytestmark = pytest.mark.django_db


def apply(client: Client, *topics: Topic, headline: str = "Postgres, 12 years") -> int:
    """Send the application form and return the answer's status."""
    answer = client.post("/expert/apply/", {"headline": headline, "about": "", "topics": [str(t.pk) for t in topics]})
    return answer.status_code


def admin_action(operator: User, action: str, profile: ExpertProfile) -> str:
    """Carry out an action of the experts' list in the admin, and return what the operator is told."""
    client = Client()
    client.force_login(operator)
    answer = client.post(
        reverse("admin:accounts_expertprofile_changelist"), {"action": action, "_selected_action": [profile.pk]}, follow=True
    )
    return answer.content.decode()


def test_an_application_waits_for_an_operator(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    assert apply(client, topic) == 302
    assert approved_topic_ids(bob) == []
    with pytest.raises(Refused, match="operator looks at new applications"):
        experts.set_availability(user=bob, available=True)
    assert "An operator is looking at your application" in client.get("/expert/").content.decode()


def test_an_operator_approves_and_the_expert_can_be_available(
    client: Client, alice: User, bob: User, olga: User, topic: Topic
) -> None:
    client.force_login(bob)
    apply(client, topic)
    assert "1 approved." in admin_action(olga, "approve", bob.expert)
    client.post("/expert/availability/", {"available": "1"})
    session = make_request(alice, topic)
    assert requests_for(bob) == [session]


def test_a_suspended_expert_is_off_at_once_and_cannot_come_back_alone(
    alice: User, eve: User, olga: User, topic: Topic
) -> None:
    make_request(alice, topic)
    assert "1 suspended." in admin_action(olga, "suspend", eve.expert)
    assert requests_for(eve) == []
    with pytest.raises(Refused):
        experts.set_availability(user=eve, available=True)


def test_a_topic_added_later_waits_while_the_others_stay_approved(client: Client, eve: User, topic: Topic) -> None:
    more = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150)
    client.force_login(eve)
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(topic.pk), str(more.pk)]})
    assert approved_topic_ids(eve) == [topic.pk]
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(more.pk)]})
    assert approved_topic_ids(eve) == []


def test_a_topic_off_the_list_for_a_while_keeps_its_approval(client: Client, eve: User, topic: Topic) -> None:
    other = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150)
    Topic.objects.filter(pk=topic.pk).update(is_active=False)
    client.force_login(eve)
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(other.pk)]})
    assert topic.pk in approved_topic_ids(eve)


@pytest.mark.parametrize("topics", [[], ["nonsense"], ["00000000-0000-0000-0000-000000000000"]])
def test_an_application_without_a_known_topic_gets_a_sentence(
    client: Client, bob: User, topic: Topic, topics: list[str]
) -> None:
    client.force_login(bob)
    answer = client.post("/expert/apply/", {"headline": "h", "topics": topics})
    assert answer.status_code == 422
    assert answer.context["form"].errors["topics"]
    assert not ExpertProfile.objects.exists()


def test_a_new_price_is_for_new_requests_only(client: Client, alice: User, olga: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    client.force_login(olga)
    answer = client.post(
        reverse("admin:accounts_topic_change", args=[topic.pk]),
        {
            "area": "engineering", "name": "Databases", "slug": "databases", "price_per_minute": "900",
            "currency": "USD", "is_active": "on", "position": "0",
        },
    )  # fmt: skip
    assert answer.status_code == 302
    session.refresh_from_db()
    topic.refresh_from_db()
    assert (session.price_per_minute, topic.price_per_minute) == (200, 900)


@pytest.mark.parametrize("price", ["0", "-5", "1.50", "much"])
def test_a_price_that_is_none_gets_a_sentence(client: Client, olga: User, topic: Topic, price: str) -> None:
    client.force_login(olga)
    answer = client.post(
        reverse("admin:accounts_topic_add"),
        {"area": "engineering", "name": "X", "slug": "x", "price_per_minute": price, "currency": "USD", "position": "0"},
    )
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["price_per_minute"]
    assert Topic.objects.count() == 1
