"""Back to the queue: an expert gives a request back, or never came."""

from uuid import UUID

from django.utils import timezone

from accounts.experts import refresh_boards
from accounts.models import User
from hopps.errors import Refused
from sessions_app import jobs, live
from sessions_app.left_out import ask_again, leave_out
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.reach.waves import start_waves
from sessions_app.timeline import record
from sessions_app.video import rooms


def release(*, session_id: UUID, expert: User) -> None:
    """Give an accepted request back before the session started.

    Raises:
        Refused: it is not this expert's to give back any more.
    """
    if not return_to_queue(session_id=session_id, expert=expert, by=expert, kind=TimelineEntry.Kind.RELEASED):
        raise Refused("This session has started or is over, so it cannot be given back. You can end it instead.")


def return_to_queue(*, session_id: UUID, expert: User, by: User | None, kind: TimelineEntry.Kind, note: str = "") -> bool:
    """Put an accepted request in front of the other experts again, `expert` left out; return whether it was done.

    Args:
        by: who did it; None where nobody did, as where the expert never came.
        note: for the timeline; without one and without `by` it names the expert.
    """
    # Written first: from the moment it is open again, this expert must not be asked.
    session = HelpSession.objects.get(pk=session_id)
    if session.state != State.ACCEPTED or session.expert_id != expert.pk:
        return False
    excluded_now = leave_out(session=session, expert=expert)
    now = timezone.now()
    won = HelpSession.objects.filter(pk=session_id, state=State.ACCEPTED, expert=expert).update(
        state=State.REQUESTED,
        expert=None,
        accepted_at=None,
        queued_at=now,
        free_seconds=0,
        next_wave_at=now,
        first_until=None,
        room_sid="",
    )
    if not won:
        if excluded_now:  # it started in this very moment: nothing was given back
            ask_again(session=session, expert=expert)
        return False
    rooms.let_go(session)
    session = HelpSession.objects.with_people().get(pk=session_id)
    record(session, kind, by=by, note=note or ("" if by else str(expert)), at=now)
    live.request_opened(session)
    live.session_changed(session)
    live.people_changed(session)
    refresh_boards(expert.pk)
    start_waves(session)
    jobs.look_again_when_due(session)
    return True
