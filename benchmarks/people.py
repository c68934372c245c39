"""People for the benches, many at once. To be imported where Django may be set up: in a process that only writes them."""

from collections.abc import Sequence
from importlib import import_module

import django

django.setup()

from django.conf import settings  # noqa: E402  Django must be set up first
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402

from accounts.models import ExpertProfile, ExpertTopic, Topic, User  # noqa: E402


def make_topic(name: str) -> Topic:
    """Return a new topic, $2.00 a minute."""
    return Topic.objects.create(area=Topic.Area.ENGINEERING, name=name, slug=name.lower(), price_per_minute=200)


def make_users(kind: str, number: int) -> list[User]:
    """Return `number` new people. No password: hashing a thousand would take a minute, and nobody types one here."""
    return User.objects.bulk_create(
        User(email=f"{kind}{n}@bench.test", display_name=f"{kind.title()} {n}", password="!") for n in range(number)
    )


def make_experts(users: Sequence[User], topic: Topic) -> list[ExpertProfile]:
    """Make `users` experts, approved for `topic` and available."""
    experts = ExpertProfile.objects.bulk_create(
        ExpertProfile(user=user, headline="Bench", state=ExpertProfile.State.APPROVED, available=True) for user in users
    )
    ExpertTopic.objects.bulk_create(
        ExpertTopic(expert=expert, topic=topic, state=ExpertTopic.State.APPROVED) for expert in experts
    )
    return experts


def signed_in(user: User) -> str:
    """Return the key of a new session of `user`."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    key: str = store.session_key
    return key
