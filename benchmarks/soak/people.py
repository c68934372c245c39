"""`python -m benchmarks.soak.people EXPERTS CUSTOMERS SEED`: topics, experts of some of them each, customers with a card.

All are signed in. Prints JSON.
"""

import json
import random
import sys

# First: it sets Django up.
from benchmarks.people import make_users, signed_in  # isort: split

from django.conf import settings
from django.db import transaction

from accounts.models import ExpertProfile, ExpertTopic, Topic
from billing.gateways.base import minimum_charge
from billing.gateways.demo import TEST_CARDS
from billing.models import Card

# Name, price of a minute in minor units, and how many of the experts help with it. Some prices divide by sixty, some do not.
TOPICS = (("Everything", 450, 1.0), ("Python", 1999, 0.5), ("Postgres", 600, 0.25), ("Ads", 1333, 0.1))


@transaction.atomic
def make(experts: int, customers: int, seed: int) -> dict[str, object]:
    """Write the people and return what is printed."""
    chance = random.Random(seed)  # noqa: S311  a load that can be repeated, no secret
    topics = [
        Topic.objects.create(
            area=Topic.Area.ENGINEERING, name=name, slug=name.lower(), price_per_minute=price, position=place
        )
        for place, (name, price, _) in enumerate(TOPICS)
    ]
    profiles = ExpertProfile.objects.bulk_create(
        ExpertProfile(user=user, headline="Soak", state=ExpertProfile.State.APPROVED, available=True)
        for user in make_users("expert", experts)
    )
    helps_with = [
        [topic for topic, (_, _, share) in zip(topics, TOPICS, strict=True) if chance.random() < share] for _ in profiles
    ]
    ExpertTopic.objects.bulk_create(
        ExpertTopic(expert=expert, topic=topic, state=ExpertTopic.State.APPROVED)
        for expert, some in zip(profiles, helps_with, strict=True)
        for topic in some
    )
    known = TEST_CARDS[0]
    cards = Card.objects.bulk_create(
        Card(owner=user, gateway="demo", gateway_ref=known.ref, brand=known.brand, last4=known.last4, is_default=True)
        for user in make_users("customer", customers)
    )
    return {
        "topics": {str(topic.pk): topic.price_per_minute for topic in topics},
        "experts": [
            {
                "id": str(expert.user_id),
                "cookie": signed_in(expert.user),
                "topics": [str(topic.pk) for topic in some],
            }
            for expert, some in zip(profiles, helps_with, strict=True)
        ],
        "customers": [{"id": str(c.owner_id), "cookie": signed_in(c.owner), "card": str(c.pk)} for c in cards],
        "terms": {
            "free_seconds": settings.FIT_WINDOW_SECONDS,
            "fee_percent": settings.PLATFORM_FEE_PERCENT,
            "least_charge": minimum_charge("USD"),
        },
        "caps": list(settings.CAP_MINUTES),
    }


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
