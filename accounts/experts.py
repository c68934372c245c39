"""The availability switch, and an expert's open boards."""

from uuid import UUID

from accounts.hours import Stretch
from accounts.models import ExpertProfile, User
from hopps.errors import Refused
from hopps.realtime.hub import hub


def board_audience(person_id: UUID | str) -> str:
    """Return the hub's audience for all open boards of one expert."""
    return f"board:{person_id}"


def refresh_boards(*people: UUID | None) -> None:
    """Have the open boards of `people` look at their situation again."""
    for person_id in people:
        if person_id is not None:
            hub.wake(board_audience(person_id), "situation")


def week_of(expert: ExpertProfile) -> list[Stretch]:
    """Return when messages may reach `expert`, in the week's order."""
    return [Stretch(row.weekday, row.start_minute, row.end_minute) for row in expert.hours.all()]


def set_availability(*, user: User, available: bool) -> None:
    """Turn the expert's own switch.

    Raises:
        Refused: no operator has approved this expert, or the approval was withdrawn.
    """
    # Whose account is closed cannot sign in to get here, and is never found available.
    approved = ExpertProfile.objects.filter(user=user, state=ExpertProfile.State.APPROVED)
    changed = approved.update(available=available)
    if not changed:
        raise Refused("Only approved experts can be available. An operator looks at new applications first.")
    refresh_boards(user.pk)
