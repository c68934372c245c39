"""The chain of waves: from asking until the request is taken, every so often the next experts are told."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts import outbox
from accounts.models import Message
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.reach import jobs
from sessions_app.reach.whom import Candidate, candidates, head_start_ends, key_of, this_wave
from sessions_app.timeline import record


def start_waves(session: HelpSession) -> None:
    """Set the job of the next wave. Losing it does no harm: the sweep asks for every wave that is due."""
    if session.next_wave_at is not None:
        jobs.set_wave(session.pk, session.next_wave_at)


def run_wave(*, session_id: UUID, now: datetime) -> int:
    """Tell the next experts of a request, if its next wave is due at `now` (UTC), and set the wave after it.

    The chain goes on, also after a wave in which there was nobody to tell, for as long as the request is open. A process
    killed on the way leaves out whom it had not written down; the next wave finds them.

    Returns:
        How many messages were written.
    """
    due = HelpSession.objects.filter(pk=session_id, state=State.REQUESTED, next_wave_at__lte=now)
    session = due.first()
    if session is None:
        return 0
    following = _following(session, now)
    # Whoever moves the moment on is the wave.
    if not due.filter(next_wave_at=session.next_wave_at).update(next_wave_at=following, waves=F("waves") + 1):
        return 0
    jobs.set_wave(session.pk, following)
    found = candidates(session)
    for candidate in found:
        if candidate.board_is_open(now) and not any(message.way == Message.Way.BOARD for message in candidate.told):
            outbox.write_sent(
                key=key_of(session, candidate.user, Message.Way.BOARD),
                to=candidate.user,
                way=Message.Way.BOARD,
                purpose=Message.Purpose.REQUEST,
                reference=session.pk,
            )
    written = Counter(way for candidate, way in this_wave(found, session, now) if write_down(session, candidate, way))
    if written:
        by_way = ", ".join(f"{count} by {Message.Way(way).label.lower()}" for way, count in written.items())
        record(session, TimelineEntry.Kind.TOLD, note=by_way, at=now)
    return written.total()


def _following(session: HelpSession, now: datetime) -> datetime:
    """Return when (UTC) the wave after the one at `now` is due: it does not miss the end of the head start."""
    spaced = now + timedelta(seconds=settings.WAVE_SPACING_SECONDS)
    ends = head_start_ends(session)
    return min(spaced, ends) if ends > now else spaced


def write_down(session: HelpSession, candidate: Candidate, way: Message.Way) -> bool:
    """Write the message down and set the job that sends it; return whether this expert was not told this way before."""
    address = {Message.Way.TEXT: candidate.number or "", Message.Way.MAIL: candidate.user.email}.get(way, "")
    message = outbox.write(
        key=key_of(session, candidate.user, way),
        to=candidate.user,
        way=way,
        purpose=Message.Purpose.REQUEST,
        address=address,
        reference=session.pk,
    )
    if message is None:
        return False
    transaction.on_commit(lambda: jobs.tell(str(message.pk)), robust=True)
    return True
