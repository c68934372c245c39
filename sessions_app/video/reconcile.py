"""Comparing the calls that went through rooms with the video service's own list of who was in them (decision 0011).

Callbacks get lost. What they would have told is written down; rooms nobody needs are ended. A bill is never changed here:
where ours says more than the service does, a person looks.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from billing.reconcile import Difference
from hopps.tasks import mail_operators
from sessions_app import never_worked
from sessions_app.clock import Stay, billable_intervals, total_seconds
from sessions_app.models import HelpSession, HelpSessionQuerySet, State, Video
from sessions_app.video import rooms, told
from sessions_app.video.service import Connection, Room, VideoUnavailable, service

logger = logging.getLogger(__name__)

# How far back a night looks: two nights may be missed. Each call is one question to the service.
DAYS = 3
# What is younger is still being worked on, and differs by nature.
SETTLING = timedelta(minutes=15)
# A page is in our room some seconds before it is in theirs, after every reload again: so much more may be billed than the
# service saw, and so much of what is billed.
TOLERANCE_SECONDS, TOLERANCE_SHARE = 30, 0.05
# After so many calls that could not be compared the service is taken to be out of reach.
MOST_FAILURES = 3


def reconcile(*, since: datetime, now: datetime, repair: bool = True) -> list[Difference]:
    """Compare the calls that ended since `since` (UTC), and every room that is open; repair what is safe.

    Args:
        since: how far back.
        now: UTC; what happened in the last 15 minutes before is left alone.
        repair: only look, where False.

    Returns:
        The differences found, whether repaired or not; empty where all agrees.

    Raises:
        VideoUnavailable: the service did not show its books.
    """
    calls = _calls(since, now)
    if settings.VIDEO != "twilio" and not calls.exists():
        return []
    found: list[Difference] = []
    for difference in _all(calls, now, repair):
        # At once: what was found is known also where the run ends early.
        logger.warning("Reconcile of calls: %s", difference)
        found.append(difference)
    return found


def reconcile_and_tell(now: datetime) -> None:
    """Reconcile the last days, and mail operators what differed, or that nothing could be compared. `now`: UTC."""
    try:
        found = reconcile(since=now - timedelta(days=DAYS), now=now)
    except Exception as problem:
        # Whatever it was: a night without news must mean that all agreed.
        logger.exception("Reconcile of calls could not run")
        why = str(problem) if isinstance(problem, VideoUnavailable) else f"{type(problem).__name__}: {problem}"
        mail_operators(
            "Reconcile of calls could not run",
            f"Calls were not compared with the video service to the end last night:\n\n{why}\n\n"
            "It runs again next night, or now by `manage.py reconcile_video`. What it found before is in the log.\n",
        )
        return
    if found:
        mail_operators(
            f"Reconcile of calls found {len(found)} differences", "\n".join(str(difference) for difference in found)
        )


def _calls(since: datetime, now: datetime) -> HelpSessionQuerySet:
    return HelpSession.objects.filter(
        state=State.ENDED, ended_at__gte=since, ended_at__lt=now - SETTLING, settled_at__isnull=False
    ).exclude(room_sid="")


def _all(calls: HelpSessionQuerySet, now: datetime, repair: bool) -> Iterator[Difference]:
    # First: who is in a room that is still open is in no list of those who were.
    for room in service().open_rooms():
        yield from _compare_room(room, now, repair)
    failures = 0
    for call in calls.order_by("ended_at").iterator(chunk_size=100):
        try:
            yield from _compare_call(call, repair)
        except VideoUnavailable as problem:
            failures += 1
            if failures == MOST_FAILURES:
                raise
            yield Difference(f"{_named(call)} could not be compared ({problem}).", repaired=False)


def _compare_room(room: Room, now: datetime, repair: bool) -> Iterator[Difference]:
    session = rooms.session_named(room.name)
    if session is None or room.opened_at > now - SETTLING:
        return  # another site's, or one that is about to be somebody's
    in_use = session.is_live and session.video == Video.TWILIO and session.room_sid == room.sid
    if not in_use:
        if repair:
            rooms.close_room(room.sid)
        yield Difference(f"Room {room.sid} of {_named(session)} is open, and nobody's any more.", repaired=repair)


def _compare_call(call: HelpSession, repair: bool) -> Iterator[Difference]:
    connections = service().connections(call.room_sid)
    if connections is None:
        yield Difference(f"Room {call.room_sid} of {_named(call)} is unknown there.", repaired=False)
        return
    missing = told.untold(call.room_sid, connections)
    if missing:
        if repair:
            for connection in connections:
                told.connection_was(call, call.room_sid, connection)
        what = f"{_named(call)}: of its comings and goings there, {missing} were not told."
        yield Difference(what, repaired=repair)
    # A call that went on between the browsers is not theirs to measure.
    if call.video == Video.TWILIO:
        yield from _compare_bill(call, seconds_together(call, connections))


def _compare_bill(call: HelpSession, together: float) -> Iterator[Difference]:
    billed = call.billable_seconds
    if call.amount_minor and billed > together + max(TOLERANCE_SECONDS, TOLERANCE_SHARE * billed):
        yield Difference(
            f"{_named(call)} was billed {billed} s, and there both were connected for {together:.0f} s, pauses left out.",
            repaired=False,
        )
    elif together > TOLERANCE_SECONDS and never_worked.never_connected(call):
        yield Difference(
            f"{_named(call)} was not charged, as no page said that it connected; there both were connected for "
            f"{together:.0f} s, pauses left out.",
            repaired=False,
        )


def seconds_together(call: HelpSession, connections: list[Connection]) -> float:
    """Return for how long customer and expert were connected at the same time before the end, less the pauses."""
    end = call.ended_at or timezone.now()
    people = {str(call.customer_id), str(call.expert_id)}
    stays = [Stay(one.identity, one.start, min(one.end or end, end)) for one in connections if one.identity in people]
    pauses = [(pause.started_at, min(pause.ended_at or end, end)) for pause in call.pauses.all()]
    return total_seconds(billable_intervals(stays, pauses))


def _named(call: HelpSession) -> str:
    return f"Session {call.pk} ({call.title})"
