"""A call in which the two were never connected costs nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from accounts.models import Topic, User
from billing.models import Hold, Payment, Posting, Refund
from sessions_app import attendance, end, room
from sessions_app.clock import Stay, call_worked
from sessions_app.models import Attendance, HelpSession
from sessions_app.never_worked import refund_if_call_never_worked
from sessions_app.settle import settle, settle_when_empty
from tests.people import be_present, make_accepted, make_active
from tests.sessions_app.sockets import page_of, run

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def stay(person: str, start: float, end: float, media: float | None = None) -> Stay:
    return Stay(person, at(start), at(end), at(media) if media is not None else None)


def test_it_worked_when_one_side_was_connected_while_both_were_there() -> None:
    assert call_worked([stay("customer", 0, 100), stay("expert", 0, 100, media=5)], [])
    assert call_worked([stay("customer", 0, 100, media=99), stay("expert", 0, 100)], [])


def test_it_did_not_work_when_neither_side_ever_was() -> None:
    assert not call_worked([stay("customer", 0, 100), stay("expert", 0, 100)], [])
    assert not call_worked([], [])


def test_being_connected_in_time_that_is_not_billed_does_not_count() -> None:
    alone_then_both = [stay("customer", 0, 40, media=5), stay("customer", 50, 100), stay("expert", 50, 100)]
    assert not call_worked(alone_then_both, [])
    both = [stay("customer", 0, 100, media=10), stay("expert", 0, 100)]
    assert not call_worked(both, [(at(0), at(100))])
    assert not call_worked(both, [(at(10), at(100))])
    assert call_worked(both, [(at(10), at(90))])


def ended(alice: User, eve: User, topic: Topic, *, media: bool) -> HelpSession:
    """Return a settled session of 4 minutes, 2 of them free."""
    session = make_active(alice, eve, topic, seconds=240, media=media)
    end.end(session=session, by=alice)
    for stretch in Attendance.objects.filter(session=session):
        attendance.leave(attendance_id=stretch.pk, at=timezone.now())
    settle_when_empty(session.pk)
    session.refresh_from_db()
    assert session.settled_at is not None
    return session


def charged_before_it_was_known(alice: User, eve: User, topic: Topic) -> HelpSession:
    session = ended(alice, eve, topic, media=True)
    Attendance.objects.filter(session=session).update(media_at=None)
    return session


@pytest.mark.django_db
def test_nothing_is_charged_the_hold_goes_back_and_receipt_and_timeline_say_why(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = ended(alice, eve, topic, media=False)
    assert (session.billable_seconds, session.amount_minor) == (240, 0)
    payment = Payment.objects.get(reference=session.pk)
    assert (payment.state, payment.charged_minor) == (Payment.State.RELEASED, 0)
    assert Hold.objects.get(payment=payment).state == Hold.State.RELEASED
    assert not Posting.objects.exists()
    assert session.timeline.get(kind="charged").note == "the call never connected, so nothing is charged"
    for person in (alice, eve):
        client.force_login(person)
        page = client.get(session.get_absolute_url()).content.decode()
        assert "The call never connected, so nothing is charged" in page


@pytest.mark.django_db
def test_a_call_that_worked_is_charged_and_says_nothing_of_it(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = ended(alice, eve, topic, media=True)
    assert session.amount_minor == 400
    client.force_login(alice)
    assert "never connected" not in client.get(session.get_absolute_url()).content.decode()


@pytest.mark.django_db
def test_the_experts_page_is_enough(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=240)
    Attendance.objects.filter(session=session, person=alice).update(media_at=None)
    end.end(session=session, by=alice)
    session.refresh_from_db()
    settle(session)
    session.refresh_from_db()
    assert session.amount_minor > 0


@pytest.mark.django_db
def test_a_page_taken_for_gone_and_heard_again_was_connected_all_along(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    now = timezone.now()
    first = be_present(session, eve, now - timedelta(seconds=300), left=now - timedelta(seconds=200))
    again = be_present(session, eve, now - timedelta(seconds=100), seen=now, media=False)
    be_present(session, alice, now - timedelta(seconds=100), seen=now, media=False)
    assert not attendance.call_worked(session, now)
    Attendance.objects.filter(pk=again.pk).update(page=first.page)
    assert attendance.call_worked(session, now)


@pytest.mark.django_db
def test_what_was_charged_before_it_was_known_is_given_back_in_full_once(alice: User, eve: User, topic: Topic) -> None:
    session = charged_before_it_was_known(alice, eve, topic)
    for _ in range(2):
        made = refund_if_call_never_worked(session)
        assert made is not None
        assert (made.amount_minor, made.by, made.state) == (400, None, Refund.State.SUCCEEDED)
    assert Refund.objects.count() == 1
    assert Payment.objects.get(reference=session.pk).refundable_minor == 0


@pytest.mark.django_db
def test_a_call_that_worked_is_not_given_back_by_the_rule(alice: User, eve: User, topic: Topic) -> None:
    assert refund_if_call_never_worked(ended(alice, eve, topic, media=True)) is None
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_page_tells_once_and_only_from_the_room(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    page = page_of(session, alice)
    grant = room.grant(session=session, person=alice)
    written: list[datetime | None] = []

    def read() -> None:
        written.append(Attendance.objects.get().media_at)

    async def journey() -> None:
        await page.open()
        await page.say(type="media_flowing")
        assert "Join the call first" in (await page.hear("error"))["message"]
        await page.join(grant)
        for _ in range(2):
            await page.say(type="media_flowing")
            # Answered in turn, and said of itself by nothing else.
            await page.say(type="renew_video")
            await page.hear("carried_by_peer")
            await sync_to_async(read)()
        await page.close()

    run(journey)
    first, second = written
    assert first is not None
    assert first == second


@pytest.mark.django_db(transaction=True)
def test_both_are_told_that_the_call_may_cost_as_soon_as_one_page_was_connected(
    alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    alices, eves = page_of(session, alice), page_of(session, eve)
    grants = [room.grant(session=session, person=person) for person in (alice, eve)]

    async def journey() -> None:
        for page, grant in zip((alices, eves), grants, strict=True):
            await page.open()
            await page.join(grant)
        while not (clock := await eves.hear("clock"))["running"]:
            pass
        assert clock["connected"] is False
        await alices.say(type="media_flowing")
        while not (await eves.hear("clock"))["connected"]:
            pass
        for page in (alices, eves):
            await page.close()

    run(journey)
