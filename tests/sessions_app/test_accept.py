"""Accepting, giving back, cancelling."""

import pytest

from accounts import deciding
from accounts.models import Topic, User
from billing.models import Hold
from hopps.errors import Refused
from sessions_app import accept, cancel, release
from sessions_app.matching import requests_for
from sessions_app.models import HelpSession, State
from tests.people import give_card, make_accepted, make_active, make_request

pytestmark = pytest.mark.django_db


def test_it_gives_the_request_to_the_first(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    accept.accept(session_id=session.pk, expert=eve)
    with pytest.raises(Refused, match="Another expert took this one"):
        accept.accept(session_id=session.pk, expert=erin)
    session.refresh_from_db()
    assert session.expert == eve


def test_an_expert_new_to_the_customer_comes_with_free_minutes(alice: User, eve: User, topic: Topic) -> None:
    assert make_accepted(alice, eve, topic).free_seconds == 120


def test_an_expert_the_customer_knows_does_not(alice: User, eve: User, topic: Topic) -> None:
    earlier = make_active(alice, eve, topic, seconds=300)
    HelpSession.objects.filter(pk=earlier.pk).update(state=State.ENDED, billable_seconds=300)
    assert make_accepted(alice, eve, topic).free_seconds == 0


def test_a_busy_expert_cannot_take_a_second_one(alice: User, bob: User, eve: User, topic: Topic) -> None:
    make_accepted(alice, eve, topic)
    second = make_request(bob, topic)
    with pytest.raises(Refused, match="another session"):
        accept.accept(session_id=second.pk, expert=eve)
    second.refresh_from_db()
    assert second.state == State.REQUESTED


def test_it_is_not_for_people_who_are_not_approved_for_the_topic(alice: User, bob: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    deciding.suspend(expert=eve.expert)
    for person in (bob, eve, alice):
        with pytest.raises(HelpSession.DoesNotExist):
            accept.accept(session_id=session.pk, expert=person)


def test_nobody_accepts_their_own_request(eve: User, topic: Topic) -> None:
    give_card(eve)
    own = make_request(eve, topic)
    assert requests_for(eve) == []
    with pytest.raises(HelpSession.DoesNotExist):
        accept.accept(session_id=own.pk, expert=eve)


def test_a_request_given_back_goes_to_the_others_only(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    release.release(session_id=session.pk, expert=eve)
    assert requests_for(eve) == []
    assert requests_for(erin) == [session]
    with pytest.raises(HelpSession.DoesNotExist):
        accept.accept(session_id=session.pk, expert=eve)
    assert accept.accept(session_id=session.pk, expert=erin).expert == erin


def test_a_running_session_cannot_be_given_back_or_cancelled(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    with pytest.raises(Refused):
        release.release(session_id=session.pk, expert=eve)
    with pytest.raises(Refused):
        cancel.cancel(session_id=session.pk, customer=alice)
    session.refresh_from_db()
    assert session.state == State.ACTIVE
    assert not session.exclusions.exists()


def test_cancelling_releases_the_hold_at_once(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    cancel.cancel(session_id=session.pk, customer=alice)
    assert Hold.objects.get(payment__reference=session.pk).state == Hold.State.RELEASED
    with pytest.raises(Refused, match="cancelled"):
        accept.accept(session_id=session.pk, expert=eve)
