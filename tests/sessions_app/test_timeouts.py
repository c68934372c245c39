"""What time does to a session; the sweep finds it when the job was lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Topic, User
from billing.models import Hold, Payment
from sessions_app.ask import draft_of
from sessions_app.cancel import cancel
from sessions_app.due import TimeOut, next_due
from sessions_app.end import finish
from sessions_app.models import Attendance, HelpSession, State
from sessions_app.sweep import sweep
from sessions_app.timeouts import enforce
from tests.people import be_present, make_accepted, make_active, make_request

pytestmark = pytest.mark.django_db


def later(seconds: float) -> None:
    """Let time pass, as the sweep sees it."""
    sweep(now=timezone.now() + timedelta(seconds=seconds))


def test_an_unanswered_request_expires_after_ten_minutes_and_the_hold_goes_back(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    later(599)
    session.refresh_from_db()
    assert session.state == State.REQUESTED
    later(601)
    session.refresh_from_db()
    assert session.state == State.EXPIRED
    assert Hold.objects.get(payment__reference=session.pk).state == Hold.State.RELEASED


def test_an_expert_who_does_not_come_within_90_seconds_loses_the_request(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    later(89)
    session.refresh_from_db()
    assert session.state == State.ACCEPTED
    later(91)
    session.refresh_from_db()
    assert (session.state, session.expert) == (State.REQUESTED, None)
    assert session.exclusions.get().expert == eve


def test_a_customer_who_does_not_come_costs_nothing(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    now = timezone.now()
    be_present(session, eve, now, seen=now + timedelta(seconds=130))
    enforce(session_id=session.pk, now=now + timedelta(seconds=119))
    session.refresh_from_db()
    assert session.state == State.ACCEPTED
    enforce(session_id=session.pk, now=now + timedelta(seconds=121))
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.CANCELLED, "no_show")
    assert Hold.objects.get(payment__reference=session.pk).state == Hold.State.RELEASED


def test_a_session_ends_when_one_side_has_been_gone_two_minutes(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    now = timezone.now()
    Attendance.objects.filter(session=session, person=alice).update(left_at=now)
    Attendance.objects.filter(session=session, person=eve).update(last_seen_at=now + timedelta(seconds=121))
    enforce(session_id=session.pk, now=now + timedelta(seconds=119))
    session.refresh_from_db()
    assert session.state == State.ACTIVE
    enforce(session_id=session.pk, now=now + timedelta(seconds=121))
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.ENDED, "absence")


def test_at_the_cap_the_session_ends_and_costs_the_cap_however_late_we_look(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=120 + 15 * 60 + 45, cap_minutes=15)
    enforce(session_id=session.pk, now=timezone.now())
    Attendance.objects.filter(session=session).update(left_at=timezone.now())
    later(10)
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.ENDED, "cap")
    assert session.billable_seconds == 120 + 15 * 60
    assert session.amount_minor == 15 * 200


def test_no_session_is_longer_than_four_hours(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    HelpSession.objects.filter(pk=session.pk).update(active_at=timezone.now() - timedelta(hours=4))
    enforce(session_id=session.pk, now=timezone.now())
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.ENDED, "longest")


def test_while_the_clock_runs_the_cap_is_what_comes_next(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    due = next_due(session, timezone.now())
    assert due is not None
    assert due.what == TimeOut.CAP
    assert abs((due.at - timezone.now()).total_seconds() - (120 + 15 * 60 - 60)) < 2


def test_presence_nobody_confirms_is_closed_at_its_last_sign_of_life(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    seen = timezone.now()
    later(60)
    assert [row.left_at for row in Attendance.objects.filter(session=session)] == [
        row.last_seen_at for row in Attendance.objects.filter(session=session)
    ]
    assert all(abs((row.last_seen_at - seen).total_seconds()) < 5 for row in Attendance.objects.filter(session=session))


def test_old_drafts_are_forgotten(alice: User, topic: Topic) -> None:
    HelpSession.objects.create(customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=15)
    later(8 * 24 * 3600)
    assert draft_of(alice) is None


def test_a_session_starts_though_one_was_silent_when_the_other_came_in(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    now = timezone.now()
    for person in (alice, eve):
        be_present(session, person, now, seen=now)
    enforce(session_id=session.pk, now=now)
    session.refresh_from_db()
    assert session.state == State.ACTIVE


def test_an_extension_in_the_last_second_wins_over_the_cap_reached(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60, cap_minutes=15)
    HelpSession.objects.filter(pk=session.pk).update(cap_minutes=30)
    reason = HelpSession.EndReason.CAP
    assert not finish(session_id=session.pk, reason=reason, by=None, at=timezone.now(), cap_minutes=session.cap_minutes)
    session.refresh_from_db()
    assert session.state == State.ACTIVE


def test_one_session_the_processor_refuses_does_not_keep_the_others_money(alice: User, bob: User, topic: Topic) -> None:
    broken, other = make_request(alice, topic), make_request(bob, topic)
    Payment.objects.get(reference=broken.pk).holds.update(gateway_ref="nonsense")
    HelpSession.objects.all().update(state=State.CANCELLED)
    later(120)
    assert Hold.objects.get(payment__reference=other.pk).state == Hold.State.RELEASED


def test_cancelling_works_while_the_processor_does_not(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    Payment.objects.get(reference=session.pk).holds.update(gateway_ref="nonsense")
    cancel(session_id=session.pk, customer=alice)
    session.refresh_from_db()
    assert session.state == State.CANCELLED
