"""Experts who can be reached, and waves run by hand: what the tests of waves and of ways share."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import ExpertProfile, Message, Topic, User
from sessions_app.models import HelpSession
from sessions_app.reach.tell import tell
from sessions_app.reach.waves import run_wave
from tests.people import give_phone, make_expert, open_all_hours

Way, Stands = Message.Way, Message.State
EVES_NUMBER = "+436641234567"


@pytest.fixture
def eve(eve: User) -> User:
    """Eve can be texted at any time, and wants nothing else."""
    open_all_hours(eve)
    give_phone(eve, EVES_NUMBER)
    return eve


@pytest.fixture
def crowd(topic: Topic) -> list[User]:
    """Five experts who can be texted at any time."""
    experts = [make_expert(f"expert{n}@example.org", f"Expert {n}", topic) for n in range(5)]
    for n, expert in enumerate(experts):
        open_all_hours(expert)
        give_phone(expert, f"+43664000000{n}")
    return experts


def change(user: User, **fields: object) -> None:
    ExpertProfile.objects.filter(user=user).update(**fields)


def wave(session: HelpSession, *, after: int = 0) -> int:
    """Let the wave run that is due so many seconds after asking; return how many messages it wrote."""
    assert session.requested_at is not None
    return run_wave(session_id=session.pk, now=session.requested_at + timedelta(seconds=after))


def send_all(now: datetime | None = None) -> None:
    """Do the jobs of all messages that wait."""
    for message in Message.objects.filter(state=Stands.WAITING):
        tell(message=message, now=now or timezone.now())


def ways_to(user: User) -> list[str]:
    """Return the ways by which `user` was told, oldest first."""
    return list(Message.objects.filter(to=user).order_by("created_at").values_list("way", flat=True))
