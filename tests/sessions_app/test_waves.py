"""Waves: who is told when, and who is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Message, Topic, User
from sessions_app import accept
from sessions_app.reach.tell import tell
from sessions_app.reach.waves import run_wave
from tests.people import give_phone, make_request, open_all_hours

pytestmark = pytest.mark.django_db


def test_an_expert_without_an_open_board_is_texted_at_once(alice: User, eve: User, topic: Topic) -> None:
    open_all_hours(eve)
    give_phone(eve, "+436641234567")
    session = make_request(alice, topic)
    assert run_wave(session_id=session.pk, now=timezone.now()) == 1
    message = Message.objects.get()
    tell(message=message, now=timezone.now())
    message.refresh_from_db()
    assert message.state == Message.State.SENT
    assert str(session.pk) in message.text
    assert "Alice is stuck" in message.text


def test_a_request_that_was_taken_is_told_to_nobody(alice: User, eve: User, erin: User, topic: Topic) -> None:
    open_all_hours(eve)
    give_phone(eve, "+436641234567")
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    accept.accept(session_id=session.pk, expert=erin)
    message = Message.objects.get()
    tell(message=message, now=timezone.now())
    assert not Message.objects.exists()
    assert run_wave(session_id=session.pk, now=timezone.now() + timedelta(minutes=1)) == 0
