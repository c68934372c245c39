"""Stopping the clock and starting it again; either side may, both see who did."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from hopps.errors import Refused
from sessions_app import jobs, live
from sessions_app.models import HelpSession, Pause, State, TimelineEntry
from sessions_app.timeline import record


def pause(*, session: HelpSession, by: User) -> None:
    """Stop the clock. Stopping a stopped clock does nothing.

    Raises:
        Refused: the session is not running.
    """
    if session.state != State.ACTIVE:
        raise Refused("The clock can be paused once both of you are in the room.")
    now = timezone.now()
    try:
        with transaction.atomic():
            Pause.objects.create(session=session, by=by, started_at=now)
    except IntegrityError:  # the other side paused in the same moment: it is paused, as both wanted
        return
    record(session, TimelineEntry.Kind.PAUSED, by=by, at=now)
    live.clock_changed(session)


def resume(*, session: HelpSession, by: User) -> None:
    """Start the clock again. Starting a running clock does nothing.

    Raises:
        Refused: the session is not running.
    """
    if session.state != State.ACTIVE:
        raise Refused("This session is not running.")
    now = timezone.now()
    if not Pause.objects.filter(session=session, ended_at=None).update(ended_at=now):
        return
    record(session, TimelineEntry.Kind.RESUMED, by=by, at=now)
    live.clock_changed(session)
    jobs.look_again_when_due(session)
