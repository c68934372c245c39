"""What the pages are told when something changed."""

from typing import Literal

from django.db import transaction
from django.utils import timezone

from accounts.experts import refresh_boards
from billing.models import Payment
from hopps.realtime.hub import hub
from sessions_app import attendance
from sessions_app.events import RequestClosed, RequestOpened, SessionChanged
from sessions_app.matching import as_open_request, personal_audience, topic_audience
from sessions_app.models import HelpSession
from sessions_app.reach import jobs as reach_jobs
from sessions_app.receipts import charge_of


def request_opened(session: HelpSession) -> None:
    """Chime on every open board the request is for."""
    excluded = [str(pk) for pk in session.exclusions.values_list("expert_id", flat=True)]
    hub.publish(
        _hearers(session),
        RequestOpened(request=as_open_request(session)),
        exclude=[str(session.customer_id), *excluded],
    )


def request_closed(session: HelpSession, reason: Literal["taken", "cancelled", "expired"]) -> None:
    """Take the request off every board, and its notifications back."""
    hub.publish(_hearers(session), RequestClosed(id=session.pk, reason=reason))
    transaction.on_commit(lambda: reach_jobs.take_back(str(session.pk)), robust=True)
    refresh_boards(session.expert_id)


def _hearers(session: HelpSession) -> str:
    """Return the audience of the boards the request is for now."""
    if session.first_expert_id is not None and session.is_for_first_expert(timezone.now()):
        return personal_audience(session.first_expert_id)
    return topic_audience(session.topic_id)


def session_changed(session: HelpSession) -> None:
    """Tell both sides the state they are in now."""
    hub.publish(session.audience, state_of(session))


def state_of(session: HelpSession) -> SessionChanged:
    """Return the state both sides are in, and how the charge stands."""
    settled = session.settled_at is not None
    payment = Payment.objects.filter(reference=session.pk).first() if settled else None
    return SessionChanged(state=session.state, settled=settled, charge=charge_of(session, payment))


def clock_changed(session: HelpSession) -> None:
    """Tell both sides what the clock says and who is there."""
    now = timezone.now()
    hub.publish(session.audience, attendance.presence(session, now))
    hub.publish(session.audience, attendance.clock(session, now))


def people_changed(session: HelpSession) -> None:
    """Have every open page of the session ask whether it is still for its person."""
    hub.wake(session.audience, "people")
