"""What /metrics shows of messages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.metrics import people
from accounts.models import Message, User
from tests.figures import figures


@pytest.mark.django_db
def test_it_shows_what_became_of_the_messages_of_the_last_day(eve: User) -> None:
    now = timezone.now()
    Way, State = Message.Way, Message.State  # noqa: N806  classes
    for number, (way, state, hours_ago) in enumerate(
        [
            (Way.TEXT, State.DELIVERED, 1),
            (Way.TEXT, State.DELIVERED, 2),
            (Way.MAIL, State.FAILED, 3),
            (Way.TEXT, State.SENT, 30),
        ]
    ):
        Message.objects.create(
            key=f"{number}", to=eve, way=way, purpose="request", state=state, created_at=now - timedelta(hours=hours_ago)
        )

    shown = figures(people())
    assert {name: value for name, value in shown.items() if name.startswith("hopps_messages")} == {
        "hopps_messages text delivered": 2,
        "hopps_messages mail failed": 1,
    }
    assert shown["hopps_experts_online"] == 0
