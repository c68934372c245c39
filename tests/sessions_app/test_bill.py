"""From attendance to the charge."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Topic, User
from billing import holds
from billing.gateways.base import GatewayUnavailable
from billing.gateways.demo import DemoGateway
from billing.models import Hold, Payment, Posting
from hopps.errors import Refused
from sessions_app import attendance, end, extend, pause, room
from sessions_app.models import Attendance, HelpSession, Pause, State
from sessions_app.settle import settle, settle_when_empty
from sessions_app.sweep import sweep
from tests.people import be_present, give_card, make_active
from tests.sessions_app.conftest import Silence

pytestmark = pytest.mark.django_db


def close_pages(session: HelpSession) -> None:
    for stretch in Attendance.objects.filter(session=session, left_at=None):
        attendance.leave(attendance_id=stretch.pk, at=timezone.now())


def test_the_first_two_minutes_with_a_new_expert_are_free(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=120)
    HelpSession.objects.filter(pk=session.pk).update(active_at=timezone.now() - timedelta(seconds=120))
    end.end(session=session, by=alice)
    close_pages(session)
    settle_when_empty(session.pk)
    session.refresh_from_db()
    assert (session.billable_seconds, session.amount_minor) == (120, 0)
    assert Payment.objects.get(reference=session.pk).charged_minor == 0
    assert Hold.objects.get(payment__reference=session.pk).state == Hold.State.RELEASED


def test_the_charge_is_for_the_seconds_both_were_there(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=120 + 90)
    end.end(session=session, by=eve)
    close_pages(session)
    settle_when_empty(session.pk)
    session.refresh_from_db()
    assert session.billable_seconds == 210
    payment = Payment.objects.get(reference=session.pk)
    assert payment.charged_minor == session.amount_minor == 300  # 90 s at $2.00 a minute
    posting = Posting.objects.get(payment=payment)
    assert (posting.customer, posting.expert, posting.platform, posting.processor) == (-300, 240, 60, 0)
    assert [entry.kind for entry in session.timeline.all()][-2:] == ["left", "charged"]


def test_it_waits_for_the_pages_to_say_goodbye_and_then_takes_their_last_sign_of_life(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_active(alice, eve, topic, seconds=400)
    lost = Attendance.objects.get(session=session, person=eve)
    Attendance.objects.filter(pk=lost.pk).update(last_seen_at=timezone.now() - timedelta(seconds=10))
    end.end(session=session, by=alice)
    settle_when_empty(session.pk)
    session.refresh_from_db()
    assert session.settled_at is None
    HelpSession.objects.filter(pk=session.pk).update(ended_at=timezone.now() - timedelta(seconds=6))
    settle_when_empty(session.pk)
    session.refresh_from_db()
    assert session.settled_at is not None
    assert session.billable_seconds == 389 or session.billable_seconds == 390  # ends at the sign of life, 10 s back


def test_settling_twice_charges_once(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    end.end(session=session, by=alice)
    close_pages(session)
    session.refresh_from_db()
    settle(session)
    Attendance.objects.filter(session=session).delete()
    settle(session)
    session.refresh_from_db()
    assert session.amount_minor == 600
    assert Posting.objects.count() == 1


def test_a_pause_is_not_billed_and_both_see_who_paused(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    Pause.objects.create(
        session=session, by=eve, started_at=timezone.now() - timedelta(seconds=100), ended_at=timezone.now()
    )
    assert round(attendance.clock(session, timezone.now()).billable_seconds) == 200
    pause.pause(session=session, by=eve)
    pause.pause(session=session, by=alice)
    clock = attendance.clock(session, timezone.now())
    assert (clock.running, clock.paused_by) == (False, "Eve")
    pause.resume(session=session, by=alice)
    assert attendance.clock(session, timezone.now()).running


def test_the_clock_stands_while_one_is_away(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    stretch = Attendance.objects.get(session=session, person=alice)
    attendance.leave(attendance_id=stretch.pk, at=timezone.now())
    assert not attendance.clock(session, timezone.now()).running


def test_a_killed_server_is_not_billed_past_its_last_sign_of_life(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=0)
    Attendance.objects.filter(session=session).delete()
    now = timezone.now()
    for person in (alice, eve):
        be_present(session, person, now - timedelta(seconds=600), seen=now - timedelta(seconds=300))
        be_present(session, person, now - timedelta(seconds=100), seen=now)
    assert round(attendance.clock(session, now).billable_seconds) == 400


def test_an_expert_who_gave_it_back_is_not_billed(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=100)
    be_present(session, erin, timezone.now() - timedelta(seconds=5000), left=timezone.now())
    assert round(attendance.clock(session, timezone.now()).billable_seconds) == 100


def test_extending_raises_the_cap_by_a_further_hold(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=15)
    session.refresh_from_db()
    assert session.cap_minutes == 30
    assert [hold.amount_minor for hold in Hold.objects.filter(payment__reference=session.pk)] == [3000, 3000]


def test_a_form_sent_twice_extends_once(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=15)
    with pytest.raises(Refused, match="extended meanwhile"):
        extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=15)
    assert Hold.objects.filter(payment__reference=session.pk).count() == 2


def test_an_extension_nobody_heard_of_is_found_by_the_sweep(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=15)
    HelpSession.objects.filter(pk=session.pk).update(cap_minutes=15)
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    sweep(now=timezone.now())
    session.refresh_from_db()
    assert session.cap_minutes == 30


def test_a_declined_extension_leaves_the_session_as_it_was(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    with pytest.raises(Refused, match="declined"):
        extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice, 1), seen_cap_minutes=15)
    session.refresh_from_db()
    assert (session.state, session.cap_minutes) == (State.ACTIVE, 15)


def test_a_long_session_is_captured_over_both_holds_and_the_rest_released(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=120 + 20 * 60, cap_minutes=15)
    extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=15)
    session.refresh_from_db()
    end.end(session=session, by=alice)
    close_pages(session)
    settle_when_empty(session.pk)
    captured = Hold.objects.filter(payment__reference=session.pk).order_by("sequence").values_list("captured_minor")
    assert list(captured) == [(3000,), (1000,)]


def test_a_bank_that_answers_an_extension_after_the_end_makes_nothing_free(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=600, cap_minutes=15)
    bank = extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice, 2), seen_cap_minutes=15)
    assert bank is not None
    end.end(session=session, by=alice)
    close_pages(session)
    asked = Hold.objects.get(payment__reference=session.pk, sequence=2)
    DemoGateway().answer(asked.gateway_ref, approved=True)
    assert isinstance(holds.finish_hold(hold=asked), holds.HoldPlaced)
    settle_when_empty(session.pk)
    session.refresh_from_db()
    payment = Payment.objects.get(reference=session.pk)
    assert (payment.state, payment.charged_minor) == (Payment.State.CHARGED, 1600)  # 8 min; the first two are free
    assert session.amount_minor == 1600
    held = payment.holds.order_by("sequence").values_list("state", "captured_minor")
    assert list(held) == [(Hold.State.CAPTURED, 1600), (Hold.State.RELEASED, 0)]


def test_the_last_goodbye_sets_the_bill_as_a_job_and_asks_no_processor_itself(
    alice: User, eve: User, topic: Topic, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    end.end(session=session, by=alice)
    with django_capture_on_commit_callbacks() as jobs_set:
        for stretch in Attendance.objects.filter(session=session):
            room.go(attendance_id=stretch.pk, at=timezone.now())
    session.refresh_from_db()
    assert session.settled_at is None
    HUEY.immediate = True
    try:
        for set_job in jobs_set:
            set_job()
    finally:
        HUEY.immediate = False
    assert Payment.objects.get(reference=session.pk).charged_minor == 600


def test_ending_with_nobody_in_the_room_does_not_wait_for_a_silent_processor(
    client: Client, alice: User, eve: User, topic: Topic, silence: Silence
) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    close_pages(session)
    silence(session)
    client.force_login(alice)
    answer = client.post(reverse("session_end", args=[session.pk]))
    assert answer["Location"] == session.get_absolute_url()
    assert "Adding it up" in client.get(answer["Location"]).content.decode()
    with pytest.raises(GatewayUnavailable):
        settle_when_empty(session.pk)
    assert "The charge is on its way" in client.get(answer["Location"]).content.decode()


def test_late_goodbyes_do_not_use_up_the_tries_of_a_refused_charge(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    Payment.objects.get(reference=session.pk).holds.update(gateway_ref="unknown")
    end.end(session=session, by=alice)
    close_pages(session)
    for _ in range(3):
        settle_when_empty(session.pk)
    payment = Payment.objects.get(reference=session.pk)
    assert (payment.state, payment.attempts) == (Payment.State.FAILED, 1)


def test_the_sweep_charges_what_a_crash_left_uncharged(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    now = timezone.now()
    HelpSession.objects.filter(pk=session.pk).update(
        state=State.ENDED, ended_at=now, settled_at=now, billable_seconds=300, amount_minor=600
    )
    sweep(now=now + timedelta(minutes=3))
    assert Payment.objects.get(reference=session.pk).charged_minor == 600


def test_coming_back_after_a_lost_connection_does_not_count_the_gap(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=100)
    now = timezone.now()
    lost = Attendance.objects.get(session=session, person=alice)
    Attendance.objects.filter(pk=lost.pk).update(last_seen_at=now - timedelta(seconds=8))
    attendance.join(session=session, person=alice, page=lost.page, now=now)
    assert round(attendance.clock(session, now).billable_seconds) == 92
