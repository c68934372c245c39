"""Topics and their prices, as operators set them."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Topic, User
from tests.people import make_request

pytestmark = pytest.mark.django_db


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
