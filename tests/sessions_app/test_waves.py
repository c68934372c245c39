"""Waves: who is told when and how, and who is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import outbox
from accounts.consent import end_consent, number_for_texts
from accounts.models import ExpertHours, ExpertProfile, Message, TextConsent, Topic, User
from sessions_app import accept, cancel, release
from sessions_app.models import HelpSession, State
from sessions_app.reach.healing import heal_reach
from sessions_app.reach.waves import run_wave
from tests.people import make_active, make_request
from tests.sessions_app.waving import EVES_NUMBER, Stands, Way, change, crowd, eve, send_all, wave, ways_to
from tests.writes import watched_writes

__all__ = ["crowd", "eve"]

pytestmark = pytest.mark.django_db


def test_an_expert_without_an_open_board_is_texted_at_once(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    assert wave(session) == 1
    send_all()
    message = Message.objects.get()
    assert (message.state, message.address, message.to) == (Stands.SENT, EVES_NUMBER, eve)
    assert message.text.startswith('Hopps: Alice is stuck: "Query is slow" (Databases, $2.00/min). Accept: http')
    assert f"/sessions/{session.pk}/ Reply STOP" in message.text


def test_an_open_board_has_a_head_start(alice: User, eve: User, topic: Topic) -> None:
    change(eve, board_seen_at=timezone.now() + timedelta(hours=1))
    session = make_request(alice, topic)
    assert wave(session) == 0
    assert ways_to(eve) == [Way.BOARD]
    assert wave(session, after=19) == 0
    assert wave(session, after=20) == 1
    assert ways_to(eve) == [Way.BOARD, Way.TEXT]


def test_outside_the_hours_nobody_is_told(alice: User, eve: User, topic: Topic) -> None:
    ExpertHours.objects.all().delete()
    session = make_request(alice, topic)
    assert wave(session) == 0
    # The hours begin now, on Eve's clock in Kathmandu.
    User.objects.filter(pk=eve.pk).update(time_zone="Asia/Kathmandu")
    local = timezone.now() + timedelta(hours=5, minutes=45)
    minute = local.hour * 60 + local.minute
    ExpertHours.objects.create(
        expert=eve.expert, weekday=local.weekday(), start_minute=minute, end_minute=(minute + 5) % (24 * 60)
    )
    assert wave(session, after=30) == 1


def test_hours_that_ended_since_the_wave_keep_the_text_back(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wave(session)
    ExpertHours.objects.all().delete()
    send_all()
    assert not Message.objects.exists()


def test_waves_are_so_large_and_so_far_apart(alice: User, crowd: list[User], topic: Topic, settings: Settings) -> None:
    settings.WAVE_SIZE = 2
    session = make_request(alice, topic)
    assert [wave(session, after=at) for at in (0, 1, 20, 21, 49, 50, 80)] == [2, 0, 2, 0, 0, 1, 0]
    assert Message.objects.values("to").distinct().count() == 5


def test_of_two_workers_at_the_same_moment_one_is_the_wave(
    alice: User, crowd: list[User], topic: Topic, settings: Settings
) -> None:
    settings.WAVE_SIZE = 1
    session = make_request(alice, topic)
    assert [wave(session), wave(session)] == [1, 0]
    session.refresh_from_db()
    assert session.waves == 1


def test_of_two_workers_who_both_saw_the_wave_due_the_quicker_one_is_it(
    alice: User, crowd: list[User], topic: Topic, settings: Settings
) -> None:
    settings.WAVE_SIZE = 1
    session = make_request(alice, topic)
    quicker: list[int] = []

    def be_overtaken(write: str, table: str) -> None:
        if (write, table) == ("UPDATE", "sessions_app_helpsession") and not quicker:
            quicker.append(-1)
            quicker.append(wave(session))

    with watched_writes(before=be_overtaken, after=lambda write, table: None):
        assert wave(session) == 0
    assert quicker == [-1, 1]
    assert Message.objects.count() == 1


def test_who_helped_this_customer_comes_first_then_who_was_texted_longest_ago(
    alice: User, crowd: list[User], topic: Topic, settings: Settings
) -> None:
    settings.WAVE_SIZE = 1
    now = timezone.now()
    for expert, hours in zip(crowd, (1, 4, 2, 3, 5), strict=True):
        change(expert, last_texted_at=now - timedelta(hours=hours))
    change(crowd[3], last_texted_at=None)
    past = make_active(alice, crowd[0], topic, seconds=60)
    HelpSession.objects.filter(pk=past.pk).update(state=State.ENDED, billable_seconds=60)
    session = make_request(alice, topic)
    for at in (0, 20, 50, 80, 110):
        wave(session, after=at)
    told = [message.to for message in Message.objects.filter(way=Way.TEXT, reference=session.pk).order_by("created_at")]
    assert told == [crowd[n] for n in (0, 3, 4, 1, 2)]


def test_a_wave_that_finds_nobody_does_not_end_the_chain(alice: User, eve: User, topic: Topic) -> None:
    change(eve, available=False)
    session = make_request(alice, topic)
    assert [wave(session, after=at) for at in (0, 20, 50)] == [0, 0, 0]
    change(eve, available=True)
    assert wave(session, after=80) == 1


def test_no_expert_is_texted_again_within_the_cooldown_whatever_the_request(
    alice: User, bob: User, eve: User, topic: Topic
) -> None:
    first = make_request(alice, topic)
    wave(first)
    send_all()
    second = make_request(bob, topic)
    assert wave(second) == 0
    assert wave(second, after=299) == 0
    assert wave(second, after=330) == 1


def test_two_requests_at_the_same_moment_text_an_expert_once_and_the_other_one_later(
    alice: User, bob: User, eve: User, topic: Topic
) -> None:
    first, second = make_request(alice, topic), make_request(bob, topic)
    assert wave(first) == wave(second) == 1
    send_all()
    assert Message.objects.filter(state=Stands.SENT).count() == 1
    # Not lost: what was never begun is written anew when the cooldown is over.
    kept = Message.objects.get()
    other = second if kept.reference == first.pk else first
    assert wave(other, after=400) == 1


def test_one_text_a_request_also_when_it_is_given_back(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wave(session)
    send_all()
    accept.accept(session_id=session.pk, expert=erin)
    release.release(session_id=session.pk, expert=erin)
    assert wave(session, after=1000) == 0
    assert ways_to(eve) == [Way.TEXT]


def test_who_gave_the_request_back_is_not_told_of_it_again(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    accept.accept(session_id=session.pk, expert=eve)
    release.release(session_id=session.pk, expert=eve)
    assert wave(session, after=60) == 0


def without_consent(eve: User) -> None:
    end_consent(number=EVES_NUMBER, by=TextConsent.EndedBy.STOP)


def without_a_phone(eve: User) -> None:
    eve.phone.delete()


def at_another_number(eve: User) -> None:
    eve.phone.number = "+436649999999"
    eve.phone.save()


def who_wants_no_texts(eve: User) -> None:
    change(eve, by_text=False)


def who_is_not_available(eve: User) -> None:
    change(eve, available=False)


def who_wants_quiet(eve: User) -> None:
    change(eve, quiet_until=timezone.now() + timedelta(hours=1))


def who_is_suspended(eve: User) -> None:
    change(eve, state=ExpertProfile.State.SUSPENDED)


def whose_account_is_closed(eve: User) -> None:
    User.objects.filter(pk=eve.pk).update(is_active=False)


def who_lost_the_topic(eve: User) -> None:
    eve.expert.topics.update(state="refused")


REASONS = [
    without_consent,
    without_a_phone,
    at_another_number,
    who_wants_no_texts,
    who_is_not_available,
    who_wants_quiet,
    who_is_suspended,
    whose_account_is_closed,
    who_lost_the_topic,
]


@pytest.mark.parametrize("reason", REASONS)
def test_no_expert_is_texted(alice: User, eve: User, topic: Topic, reason: Callable[[User], None]) -> None:
    reason(eve)
    session = make_request(alice, topic)
    wave(session)
    assert Way.TEXT not in ways_to(eve)


def test_who_wants_to_be_told_and_has_set_up_nothing_yet_is_mailed(alice: User, eve: User, topic: Topic) -> None:
    without_a_phone(eve)
    session = make_request(alice, topic)
    wave(session)
    assert ways_to(eve) == [Way.MAIL]


def test_who_wants_no_message_at_all_gets_none(alice: User, eve: User, topic: Topic) -> None:
    without_a_phone(eve)
    change(eve, by_push=False, by_text=False)
    assert wave(make_request(alice, topic)) == 0


@pytest.mark.parametrize("reason", REASONS)
def test_between_wave_and_text_it_is_looked_at_again(
    alice: User, eve: User, topic: Topic, reason: Callable[[User], None]
) -> None:
    wave(make_request(alice, topic))
    reason(eve)
    send_all()
    assert not Message.objects.exists()


def test_an_expert_in_a_session_is_left_in_peace(alice: User, bob: User, eve: User, topic: Topic) -> None:
    make_active(bob, eve, topic, seconds=60)
    assert wave(make_request(alice, topic)) == 0


def test_nobody_is_told_of_their_own_request(eve: User, topic: Topic) -> None:
    assert wave(make_request(eve, topic)) == 0


def test_a_request_that_was_taken_is_told_to_nobody(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wave(session)
    accept.accept(session_id=session.pk, expert=erin)
    send_all()
    assert not Message.objects.exists()
    assert wave(session, after=60) == 0


def test_a_request_that_was_cancelled_is_told_to_nobody(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wave(session)
    cancel.cancel(session_id=session.pk, customer=alice)
    send_all()
    assert not Message.objects.exists()


def test_a_request_that_comes_back_has_its_head_start_anew(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    for after in (0, 20):
        wave(session, after=after)
    accept.accept(session_id=session.pk, expert=erin)
    release.release(session_id=session.pk, expert=erin)
    session.refresh_from_db()
    assert session.queued_at is not None
    run_wave(session_id=session.pk, now=session.queued_at)
    session.refresh_from_db()
    assert session.next_wave_at == session.queued_at + timedelta(seconds=20)


def test_a_text_being_sent_when_the_process_died_is_in_doubt_and_never_sent_again(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    wave(session)
    now = timezone.now()
    Message.objects.update(state=Stands.SENDING, began_at=now)
    heal_reach(now + timedelta(seconds=30))
    assert Message.objects.get().state == Stands.SENDING
    heal_reach(now + timedelta(minutes=1))
    text = Message.objects.get(way=Way.TEXT)
    assert text.state == Stands.IN_DOUBT
    assert outbox.send(text, outbox.Words("t", "t", "", "")).state == Stands.IN_DOUBT
    assert ways_to(eve) == [Way.TEXT, Way.MAIL]


def test_a_wave_whose_job_was_lost_is_run_by_the_sweep(alice: User, eve: User, topic: Topic) -> None:
    make_request(alice, topic)
    heal_reach(timezone.now() + timedelta(minutes=1))
    assert ways_to(eve) == [Way.TEXT]


def test_consent_lost_to_the_carrier_is_seen(eve: User) -> None:
    assert number_for_texts(eve) == EVES_NUMBER
    assert end_consent(number=EVES_NUMBER, by=TextConsent.EndedBy.CARRIER)
    assert number_for_texts(eve) is None
    assert not end_consent(number=EVES_NUMBER, by=TextConsent.EndedBy.CARRIER)
