"""The ways by which an expert is told: one after the other, the quickest first, and by mail what did not arrive."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Message, PushSubscription, Topic, User
from hopps.sending import NotTaken
from sessions_app import accept, release
from sessions_app.models import HelpSession
from sessions_app.reach.words import words_for
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.people import make_request
from tests.sessions_app.waving import Stands, Way, change, crowd, eve, send_all, wave, ways_to

__all__ = ["crowd", "eve"]

pytestmark = pytest.mark.django_db


def test_ways_come_a_minute_apart_the_quickest_first(alice: User, eve: User, topic: Topic) -> None:
    PushSubscription.objects.create(user=eve, endpoint="https://push.test/1", p256dh="k", auth="a")
    change(eve, by_mail=True)
    session = make_request(alice, topic)
    now = timezone.now()
    for at in range(0, 200, 10):
        if wave(session, after=at):
            Message.objects.filter(state=Stands.WAITING).update(state=Stands.SENT, created_at=now + timedelta(seconds=at))
    assert ways_to(eve) == [Way.PUSH, Way.TEXT, Way.MAIL]
    first, second, third = Message.objects.order_by("created_at").values_list("created_at", flat=True)
    assert min(second - first, third - second) >= timedelta(seconds=60)


def test_a_mail_leads_to_the_request_and_to_the_ways_to_be_told(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    text = words_for(session, Way.MAIL).text
    assert session.get_absolute_url() in text
    assert f"{reverse('expert_reach')}\n" in text


def test_who_wants_all_at_once_is_told_all_at_once(alice: User, eve: User, topic: Topic) -> None:
    PushSubscription.objects.create(user=eve, endpoint="https://push.test/1", p256dh="k", auth="a")
    change(eve, by_mail=True, all_at_once=True)
    assert wave(make_request(alice, topic)) == 3


def test_notifications_do_not_count_against_the_size_of_a_wave(
    alice: User, crowd: list[User], topic: Topic, settings: Settings
) -> None:
    settings.WAVE_SIZE = 1
    for n, expert in enumerate(crowd[1:]):
        PushSubscription.objects.create(user=expert, endpoint=f"https://push.test/{n}", p256dh="k", auth="a")
    assert wave(make_request(alice, topic)) == 5


def test_a_notification_comes_anew_with_a_request_that_comes_back(alice: User, eve: User, erin: User, topic: Topic) -> None:
    PushSubscription.objects.create(user=eve, endpoint="https://push.test/1", p256dh="k", auth="a")
    change(eve, by_text=False)
    session = make_request(alice, topic)
    wave(session)
    accept.accept(session_id=session.pk, expert=erin)
    release.release(session_id=session.pk, expert=erin)
    # A moment that is not the same second.
    HelpSession.objects.filter(pk=session.pk).update(queued_at=timezone.now() + timedelta(seconds=5))
    assert wave(session, after=120) == 1
    assert ways_to(eve) == [Way.PUSH, Way.PUSH]


@pytest.mark.parametrize("state", [Stands.REFUSED, Stands.FAILED, Stands.IN_DOUBT])
def test_what_did_not_arrive_is_made_good_by_mail_with_the_next_wave(
    alice: User, eve: User, topic: Topic, state: Message.State
) -> None:
    session = make_request(alice, topic)
    wave(session)
    Message.objects.update(state=state)
    assert wave(session, after=20) == 1
    send_all()
    assert ways_to(eve) == [Way.TEXT, Way.MAIL]
    (letter,) = mail.outbox
    assert letter.to == ["eve@example.org"]
    assert letter.subject == "Alice is stuck: Query is slow"
    assert f"/sessions/{session.pk}/" in str(letter.body)


@pytest.mark.parametrize("state", [Stands.REFUSED, Stands.IN_DOUBT])
def test_whom_something_else_reached_gets_no_mail_they_do_not_want(
    alice: User, eve: User, topic: Topic, state: Message.State
) -> None:
    PushSubscription.objects.create(user=eve, endpoint="https://push.test/1", p256dh="k", auth="a")
    session = make_request(alice, topic)
    wave(session)
    Message.objects.update(state=state)
    wave(session, after=20)
    Message.objects.filter(way=Way.TEXT).update(state=Stands.SENT)
    for after in (50, 80, 110):
        assert wave(session, after=after) == 0
    assert ways_to(eve) == [Way.PUSH, Way.TEXT]


@pytest.mark.parametrize("status", [429, 400])
def test_a_text_that_did_not_go_out_keeps_no_other_one_waiting(
    alice: User, bob: User, eve: User, topic: Topic, twilio_peer: TwilioStandIn, status: int
) -> None:
    wave(make_request(alice, topic))
    # Twilio is busy; or it does not take this text, for a reason that is not the number's.
    twilio_peer.refuse_next(status=status, code=21617)
    with suppress(NotTaken):
        send_all()
    assert twilio_peer.sent() == []
    other = make_request(bob, topic)
    assert wave(other) == 1
