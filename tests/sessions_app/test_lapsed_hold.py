"""The bank gives a hold back by itself: nobody is kept waiting for a card that may not pay."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Topic, User
from billing.holds import note_lapse
from billing.models import DemoIntent, Hold, Payment
from sessions_app import extend
from sessions_app.models import HelpSession, State
from sessions_app.sweep import sweep
from tests.people import give_card, make_accepted, make_active, make_request

pytestmark = pytest.mark.django_db


def let_lapse(session: HelpSession) -> None:
    hold = Hold.objects.get(payment__reference=session.pk)
    DemoIntent.objects.filter(pk=hold.gateway_ref).update(state=DemoIntent.State.RELEASED)
    assert note_lapse(hold)
    session.refresh_from_db()


def test_a_request_is_called_off_and_both_sides_read_why(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    let_lapse(session)
    assert (session.state, session.end_reason) == (State.CANCELLED, "no_hold")
    for person, sentence in ((alice, "Your bank gave back what was held"), (eve, "The bank gave back what Alice")):
        client.force_login(person)
        assert sentence in client.get(session.get_absolute_url()).content.decode()


def test_an_open_request_leaves_the_boards(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    let_lapse(session)
    client.force_login(eve)
    assert session.title not in client.get("/expert/").content.decode()


def test_a_running_session_goes_on(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    let_lapse(session)
    assert session.state == State.ACTIVE


def test_the_sweep_calls_off_what_nobody_was_told_of(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    Payment.objects.get(reference=session.pk).holds.update(state=Hold.State.LAPSED)  # killed before the signal
    sweep(now=timezone.now() + timedelta(minutes=2))
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.CANCELLED, "no_hold")


def test_a_running_session_can_be_extended_all_the_same(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=30)
    let_lapse(session)
    card = give_card(alice)
    assert extend.extend(session=session, customer=alice, minutes=15, card=card, seen_cap_minutes=30) is None
    session.refresh_from_db()
    assert session.cap_minutes == 45
