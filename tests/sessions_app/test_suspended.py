"""What a suspension ends: requests with their holds, calls with a fair bill, messages, boards, payouts."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import suspending
from accounts.models import ExpertProfile, Suspension, Topic, User
from billing.models import Hold, Payment
from hopps.errors import Refused
from sessions_app import accept, ask, settle, watch
from sessions_app.cases import timeline_for
from sessions_app.matching import requests_for
from sessions_app.models import Attendance, HelpSession, State, Watch
from sessions_app.sweep import sweep
from tests.people import give_card, make_accepted, make_active, make_request
from tests.sessions_app.waving import eve as eve_by_text
from tests.sessions_app.waving import send_all, wave, ways_to
from tests.writes import watched_writes

__all__ = ["eve_by_text"]

pytestmark = pytest.mark.django_db


def suspend(user: User, by: User) -> Suspension:
    return suspending.suspend(user=user, by=by, reason="Threatened somebody")


def now_of(session: HelpSession) -> HelpSession:
    return HelpSession.objects.with_people().get(pk=session.pk)


def shown_to(user: User, session: HelpSession) -> str:
    browser = Client()
    browser.force_login(user)
    return browser.get(session.get_absolute_url()).content.decode()


# --- as a customer ---


@pytest.mark.parametrize("accepted", [False, True])
def test_an_open_request_is_called_off_and_its_hold_released(
    accepted: bool, alice: User, eve: User, olga: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic) if accepted else make_request(alice, topic)
    suspend(alice, olga)
    session = now_of(session)
    assert (session.state, session.end_reason) == (State.CANCELLED, HelpSession.EndReason.HOPPS)
    assert Payment.objects.get(reference=session.pk).state == Payment.State.RELEASED
    assert set(Hold.objects.values_list("state", flat=True)) == {Hold.State.RELEASED}
    assert requests_for(eve) == []
    if accepted:
        assert "This session was ended by Hopps before it started." in shown_to(eve, session)


def test_nothing_is_told_later_to_somebody_suspended(alice: User, olga: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    watch.tell_later(session=session, customer=alice)
    suspend(alice, olga)
    assert not Watch.objects.filter(ended_at=None).exists()


def test_a_request_that_goes_live_at_that_moment_does_not_stay(alice: User, eve: User, olga: User, topic: Topic) -> None:
    def suspend_in_between(write: str, table: str) -> None:
        if (write, table) == ("UPDATE", "sessions_app_helpsession") and not Suspension.objects.exists():
            suspend(alice, olga)

    with watched_writes(before=suspend_in_between, after=lambda write, table: None):
        ask.ask(customer=alice, topic=topic, title="Slow", details="", cap_minutes=30, card=give_card(alice))
    assert set(HelpSession.objects.values_list("state", flat=True)) == {State.CANCELLED}
    assert not Hold.objects.exclude(state=Hold.State.RELEASED).exists()


# --- as an expert ---


def test_a_request_they_accepted_goes_back_to_the_other_experts(
    alice: User, eve: User, erin: User, olga: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    suspend(eve, olga)
    session = now_of(session)
    assert (session.state, session.expert) == (State.REQUESTED, None)
    assert requests_for(erin) == [session]
    page = shown_to(alice, session)
    assert "Your expert cannot come after all." in page
    assert "Olga" not in page


def test_a_suspended_expert_is_told_of_nothing_and_takes_nothing(
    alice: User, bob: User, eve_by_text: User, olga: User, topic: Topic
) -> None:
    before = make_request(alice, topic)
    assert wave(before) == 1
    suspend(eve_by_text, olga)
    send_all()
    after = make_request(bob, topic)
    assert wave(after) == 0
    assert ways_to(eve_by_text) == []
    with pytest.raises(HelpSession.DoesNotExist):
        accept.accept(session_id=after.pk, expert=eve_by_text)
    assert not ExpertProfile.objects.get(user=eve_by_text).available


def test_who_accepts_at_that_moment_does_not_keep_it(alice: User, eve: User, erin: User, olga: User, topic: Topic) -> None:
    session = make_request(alice, topic)

    def suspend_in_between(write: str, table: str) -> None:
        if (write, table) == ("UPDATE", "sessions_app_helpsession") and not Suspension.objects.exists():
            suspend(eve, olga)

    not_active = pytest.raises(Refused, match="not active")
    with watched_writes(before=suspend_in_between, after=lambda write, table: None), not_active:
        accept.accept(session_id=session.pk, expert=eve)
    assert now_of(session).state == State.REQUESTED
    assert [request.pk for request in requests_for(erin)] == [session.pk]


# --- in a call ---


@pytest.mark.parametrize("who", ["customer", "expert"])
def test_a_call_ends_with_the_bill_of_the_time_used(who: str, alice: User, eve: User, olga: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=240)
    suspended, other = (alice, eve) if who == "customer" else (eve, alice)
    suspend(suspended, olga)
    session = now_of(session)
    assert (session.state, session.end_reason) == (State.ENDED, HelpSession.EndReason.HOPPS)
    Attendance.objects.filter(session=session).update(left_at=session.ended_at)
    settle.settle_when_empty(session.pk)
    # Four minutes at $2.00, less the two that are free with an expert new to the customer; begun seconds count.
    assert 400 <= Payment.objects.get(reference=session.pk).charged_minor <= 410
    page = shown_to(other, session)
    assert "This session was ended by Hopps." in page
    assert "Olga" not in page
    assert "Threatened" not in page
    assert "suspend" not in page.lower()


def test_the_timeline_names_the_operator_to_operators_alone(alice: User, eve: User, olga: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    suspend(eve, olga)
    entry = session.timeline.get(kind="ended")
    assert (entry.by, entry.note) == (olga, "Hopps ended it")
    assert "ended the session: Hopps ended it" in [str(entry) for entry in timeline_for(session, alice)]


# --- what a crash or a race leaves ---


def test_the_sweep_ends_what_a_crash_left_open(
    alice: User, bob: User, eve: User, erin: User, olga: User, topic: Topic
) -> None:
    waiting, running = make_request(alice, topic), make_active(bob, erin, topic, seconds=60)
    for person in (alice, erin):
        # The process was killed right after it wrote this.
        Suspension.objects.create(user=person, by=olga, reason="Threatened somebody")
    sweep(now=timezone.now())
    assert now_of(waiting).state == State.CANCELLED
    assert now_of(running).end_reason == HelpSession.EndReason.HOPPS
    assert running.timeline.get(kind="ended").by == olga
    assert not User.objects.filter(pk__in=[alice.pk, erin.pk], is_active=True).exists()


def test_nobody_is_mailed_about_a_suspension(alice: User, eve: User, olga: User, topic: Topic) -> None:
    make_accepted(alice, eve, topic)
    suspend(alice, olga)
    assert mail.outbox == []


def test_lifted_they_ask_again_and_what_ended_stays_ended(alice: User, eve: User, olga: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    suspend(alice, olga)
    assert suspending.lift(user=alice, by=olga)
    sweep(now=timezone.now() + timedelta(minutes=1))
    assert now_of(session).state == State.CANCELLED
    alice.refresh_from_db()
    assert make_request(alice, topic).state == State.REQUESTED
