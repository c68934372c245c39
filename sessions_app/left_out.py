"""Experts who are not asked for a request: they said no to it, or they and its customer are kept apart.

Boards, waves, messages and accepting all respect an `Exclusion`, whatever it is for. `blocked` says that it stands for a
block and goes with it; the expert is never told of it, and it is no answer of theirs.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from sessions_app.models import Exclusion, HelpSession


def leave_out(*, session: HelpSession, expert: User) -> bool:
    """Leave `expert` out of `session` by their own doing; return whether they were asked until now."""
    _, is_new = Exclusion.objects.get_or_create(session=session, expert=expert)
    # What they said themselves outlasts a block that is taken back.
    Exclusion.objects.filter(session=session, expert=expert, blocked=True).update(blocked=False)
    return is_new


def ask_again(*, session: HelpSession, expert: User) -> None:
    """Take back what `leave_out` did."""
    Exclusion.objects.filter(session=session, expert=expert).delete()


def leave_out_blocked(*, session: HelpSession, people: Iterable[UUID]) -> None:
    """Leave `people` out of `session`, whose customer they do not meet. Who is left out already stays as they are."""
    for person in people:
        try:
            with transaction.atomic():
                Exclusion.objects.create(session=session, expert_id=person, blocked=True)
        except IntegrityError:
            continue
