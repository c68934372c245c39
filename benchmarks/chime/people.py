"""`python -m benchmarks.chime.people N`: N approved, available experts of one topic, each signed in.

Prints JSON: the hub's audience of the topic, and a session cookie for each expert.
"""

import json
import sys
from importlib import import_module

import django

django.setup()

from django.conf import settings  # noqa: E402  Django must be set up first
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.db import transaction  # noqa: E402

from accounts.models import ExpertProfile, ExpertTopic, Topic, User  # noqa: E402
from sessions_app.matching import topic_audience  # noqa: E402


def signed_in(user: User) -> str:
    """Return the key of a new session of `user`."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    key: str = store.session_key
    return key


@transaction.atomic
def make(number: int) -> dict[str, object]:
    """Write the experts and return what is printed."""
    topic = Topic.objects.create(area=Topic.Area.ENGINEERING, name="Bench", slug="bench", price_per_minute=200)
    # No password: hashing a thousand would take a minute, and nobody types one here.
    users = User.objects.bulk_create(
        User(email=f"expert{n}@bench.test", display_name=f"Expert {n}", password="!") for n in range(number)
    )
    experts = ExpertProfile.objects.bulk_create(
        ExpertProfile(user=user, headline="Bench", state=ExpertProfile.State.APPROVED, available=True) for user in users
    )
    ExpertTopic.objects.bulk_create(
        ExpertTopic(expert=expert, topic=topic, state=ExpertTopic.State.APPROVED) for expert in experts
    )
    return {"audience": topic_audience(topic.pk), "cookies": [signed_in(user) for user in users]}


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]))))
