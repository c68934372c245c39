"""What /metrics shows of help sessions."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from prometheus_client import REGISTRY

from accounts.models import Topic, User
from sessions_app import accept
from sessions_app.cancel import cancel
from sessions_app.metrics import sessions
from tests.figures import figures
from tests.people import make_accepted, make_request

pytestmark = pytest.mark.django_db


def test_it_shows_how_many_sessions_are_in_which_state(alice: User, bob: User, eve: User, topic: Topic) -> None:
    now = timezone.now()
    for days_ago in (3, 0):
        with time_machine.travel(now - timedelta(days=days_ago)):
            cancel(session_id=make_request(alice, topic).pk, customer=alice)
    make_accepted(alice, eve, topic)
    make_request(bob, topic)

    shown = figures(sessions())
    assert {state: shown[f"hopps_sessions {state}"] for state in ("requested", "accepted", "active", "cancelled")} == {
        "requested": 1,
        "accepted": 1,
        "active": 0,
        "cancelled": 1,
    }


def test_it_shows_how_long_the_oldest_request_has_waited(alice: User, bob: User, topic: Topic) -> None:
    assert figures(sessions())["hopps_request_oldest_seconds"] == 0
    now = timezone.now()
    for customer, seconds_ago in ((alice, 90), (bob, 30)):
        with time_machine.travel(now - timedelta(seconds=seconds_ago), tick=False):
            make_request(customer, topic)
    with time_machine.travel(now, tick=False):
        assert figures(sessions())["hopps_request_oldest_seconds"] == pytest.approx(90, abs=0.01)


def test_accepting_counts_how_long_the_customer_waited(alice: User, eve: User, topic: Topic) -> None:
    def counted(name: str) -> float:
        return REGISTRY.get_sample_value(f"hopps_accept_seconds_{name}") or 0.0

    before, seconds_before = counted("count"), counted("sum")
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        session = make_request(alice, topic)
    with time_machine.travel(now + timedelta(seconds=12), tick=False):
        accept.accept(session_id=session.pk, expert=eve)

    assert counted("count") - before == 1
    assert counted("sum") - seconds_before == pytest.approx(12, abs=0.01)
