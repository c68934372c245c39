"""`python -m benchmarks.notify.people EXPERTS CUSTOMERS`: whom to text, who asks, and a topic nobody is there for.

The experts have no board open, take texts at any hour and have agreed to them. Prints JSON.
"""

import json
import sys

# First: it sets Django up.
from benchmarks.people import make_experts, make_topic, make_users, signed_in  # isort: split

from django.conf import settings
from django.db import transaction

from accounts.models import ExpertHours, Phone, TextConsent
from billing.gateways.demo import TEST_CARDS
from billing.models import Card


@transaction.atomic
def make(experts: int, customers: int) -> dict[str, object]:
    """Write the people and return what is printed."""
    reached, nobody = make_topic("Reached"), make_topic("Nobody")
    users = make_users("expert", experts)
    ExpertHours.objects.bulk_create(
        ExpertHours(expert=expert, weekday=weekday, start_minute=0, end_minute=0)
        for expert in make_experts(users, reached)
        for weekday in range(7)
    )
    phones = Phone.objects.bulk_create(Phone(user=user, number=f"+43664{n:07}") for n, user in enumerate(users))
    TextConsent.objects.bulk_create(TextConsent(user=one.user, number=one.number, wording="Text me.") for one in phones)
    askers = make_users("customer", customers)
    known = TEST_CARDS[0]
    cards = Card.objects.bulk_create(
        Card(owner=user, gateway="demo", gateway_ref=known.ref, brand=known.brand, last4=known.last4, is_default=True)
        for user in askers
    )
    return {
        "topics": {"reached": str(reached.pk), "nobody": str(nobody.pk)},
        "customers": [{"cookie": signed_in(card.owner), "card": str(card.pk)} for card in cards],
        "wave": settings.WAVE_SIZE,
    }


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]), int(sys.argv[2]))))
