"""Open pages are told how the charge stands, whoever charges and however late."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import Topic, User
from billing.capture import BACK_OFF
from billing.gateways.base import GatewayUnavailable
from billing.models import Hold, Payment
from billing.tasks import heal
from sessions_app.models import Attendance, HelpSession, State
from sessions_app.settle import settle
from tests.people import make_active
from tests.sessions_app.conftest import Silence
from tests.sessions_app.sockets import page_of, run

pytestmark = pytest.mark.django_db(transaction=True)


def end_unheard(session: HelpSession) -> None:
    """Let a session have ended, everybody out of its room."""
    now = timezone.now()
    HelpSession.objects.filter(pk=session.pk).update(state=State.ENDED, ended_at=now, end_reason="customer")
    Attendance.objects.filter(session=session).update(left_at=now)
    session.refresh_from_db()


def test_pages_are_told_the_bill_before_the_processor_is_asked(
    alice: User, eve: User, topic: Topic, silence: Silence
) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    end_unheard(session)
    silence(session)
    page = page_of(session, alice)

    async def journey() -> None:
        await page.open()
        assert (await page.hear("session_changed"))["charge"] == ""
        with pytest.raises(GatewayUnavailable):
            await sync_to_async(settle)(session)
        told = await page.hear("session_changed")
        assert (told["settled"], told["charge"]) == (True, "due")
        await page.close()

    run(journey)


def test_pages_are_told_of_a_charge_that_comes_late(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    end_unheard(session)
    now = timezone.now()
    HelpSession.objects.filter(pk=session.pk).update(settled_at=now, billable_seconds=300, amount_minor=600)
    Payment.objects.update(state=Payment.State.CAPTURING, due_minor=600, payee=eve, closed_at=now - timedelta(minutes=2))
    page = page_of(session, alice)

    async def journey() -> None:
        await page.open()
        assert (await page.hear("session_changed"))["charge"] == "due"
        await sync_to_async(heal)(now)
        assert (await page.hear("session_changed"))["charge"] == "charged"
        await page.close()

    run(journey)


def test_pages_are_told_of_a_refused_charge_and_of_giving_it_up(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300)
    end_unheard(session)
    Hold.objects.update(gateway_ref="unknown")
    page = page_of(session, alice)

    def give_up() -> None:
        Payment.objects.update(attempts=len(BACK_OFF), next_try_at=timezone.now())
        heal(timezone.now() + timedelta(minutes=2))

    async def journey() -> None:
        await page.open()
        await sync_to_async(settle)(session)
        while (await page.hear("session_changed"))["charge"] != "retrying":
            pass
        await sync_to_async(give_up)()
        assert (await page.hear("session_changed"))["charge"] == "failed"
        await page.close()

    run(journey)
