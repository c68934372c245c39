"""A request that comes to nothing: cancelled by its customer, or expired. The hold goes back at once."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from hopps.errors import Refused
from sessions_app import live
from sessions_app.give_back import give_back
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.timeline import record
from sessions_app.video import rooms


def cancel(*, session_id: UUID, customer: User) -> None:
    """Call a request off, before the session started.

    Raises:
        Refused: it started or is over.
    """
    states = [State.DRAFT, State.REQUESTED, State.ACCEPTED]
    if not _close(session_id, states, State.CANCELLED, TimelineEntry.Kind.CANCELLED, by=customer):
        raise Refused("This session has started or is over, so it cannot be cancelled. You can end a running one.")


def expire(*, session: HelpSession) -> bool:
    """Let an unanswered request lapse; return whether it was done.

    Args:
        session: as it was when its time was up; not done where it was put in front of experts anew, or its customer chose
            to go on waiting.
    """
    seen = {"queued_at": session.queued_at, "kept_waiting_at": session.kept_waiting_at}
    return _close(session.pk, [State.REQUESTED], State.EXPIRED, TimelineEntry.Kind.EXPIRED, by=None, seen=seen)


def leave_for_now(*, session_id: UUID, customer: User) -> bool:
    """Call an unanswered request off for a customer who wants to hear when somebody is there; return whether it was done."""
    return _close(
        session_id,
        [State.REQUESTED],
        State.CANCELLED,
        TimelineEntry.Kind.CANCELLED,
        by=customer,
        note="to be told when an expert is there",
        end_reason=HelpSession.EndReason.LATER,
    )


def give_up_on_customer(*, session_id: UUID) -> bool:
    """Call off an accepted session whose customer never came; return whether it was done."""
    return _close(
        session_id,
        [State.ACCEPTED],
        State.CANCELLED,
        TimelineEntry.Kind.CANCELLED,
        by=None,
        note="the customer did not come",
        end_reason=HelpSession.EndReason.NO_SHOW,
    )


def call_off_unheld(*, session_id: UUID) -> bool:
    """Call off a request whose hold the bank gave back before the session started; return whether it was done.

    No expert is kept busy for a card that may not pay. A running session goes on: what it costs is asked of the card.
    """
    return _close(
        session_id,
        [State.REQUESTED, State.ACCEPTED],
        State.CANCELLED,
        TimelineEntry.Kind.CANCELLED,
        by=None,
        note="the bank gave the hold back",
        end_reason=HelpSession.EndReason.NO_HOLD,
    )


def call_off_by_hopps(*, session_id: UUID, by: User | None) -> bool:
    """Call off a request whose customer may not use Hopps any more; return whether it was done.

    Args:
        by: the operator who decided it, for operators to read (`cases.timeline_for`); None where it is not known.
    """
    return _close(
        session_id,
        [State.DRAFT, State.REQUESTED, State.ACCEPTED],
        State.CANCELLED,
        TimelineEntry.Kind.CANCELLED,
        by=by,
        note="Hopps called it off",
        end_reason=HelpSession.EndReason.HOPPS,
    )


def _close(
    session_id: UUID,
    from_states: list[State],
    to: State,
    kind: TimelineEntry.Kind,
    *,
    by: User | None,
    note: str = "",
    end_reason: str = "",
    seen: Mapping[str, object] | None = None,
) -> bool:
    now = timezone.now()
    won = HelpSession.objects.filter(pk=session_id, state__in=from_states, **(seen or {})).update(
        state=to, ended_at=now, end_reason=end_reason
    )
    if not won:
        return False
    session = HelpSession.objects.with_people().get(pk=session_id)
    record(session, kind, by=by, note=note, at=now)
    live.request_closed(session, "expired" if to == State.EXPIRED else "cancelled")
    live.session_changed(session)
    rooms.let_go(session)
    give_back(session_id)
    return True
