"""What a block means for requests: neither is asked for, shown or told of what the other asks.

Of a block and a request made at the same moment each writes its own row first, a draft as it may be, and looks at the
other's then: one of the two sees both. An expert who accepted before the block was made keeps the session; it holds from
the next request on.
"""

from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.blocking import apart_from, are_apart
from accounts.experts import refresh_boards
from accounts.models import Block, User
from sessions_app.first import let_others_hear
from sessions_app.left_out import leave_out_blocked
from sessions_app.models import Exclusion, HelpSession, State
from sessions_app.reach import jobs as reach_jobs

# What is in front of experts, or may yet be.
_AHEAD = (State.DRAFT, State.REQUESTED, State.ACCEPTED)


def keep_apart(session: HelpSession) -> None:
    """Leave out of `session` everybody its customer does not meet. Safe to repeat."""
    leave_out_blocked(session=session, people=apart_from(session.customer_id))


def block_was_made(block: Block) -> None:
    """Keep the two apart in what is open: it leaves the board, and its notification is taken back. Safe to repeat."""
    for session in _between(block.by, block.person):
        expert = block.person if session.customer_id == block.by_id else block.by
        leave_out_blocked(session=session, people=[expert.pk])
        if session.state == State.REQUESTED:
            let_others_hear(session_id=session.pk, expert=expert)
            refresh_boards(expert.pk)
            take_back = partial(reach_jobs.take_back_from, str(session.pk), str(expert.pk))
            transaction.on_commit(take_back, robust=True)


def block_was_taken_back(by: User, person: User) -> None:
    """Let the two meet again also in what is open, unless one of them still does not want to."""
    if are_apart(by.pk, person.pk):
        return
    sessions = list(_between(by, person))
    Exclusion.objects.filter(session__in=sessions, expert__in=[by, person], blocked=True).delete()
    if are_apart(by.pk, person.pk):  # blocked anew at this very moment
        for session in sessions:
            keep_apart(session)
    refresh_boards(by.pk, person.pk)


def _between(one: User, other: User) -> QuerySet[HelpSession]:
    """Return what either of the two asks, and experts are or may be asked for."""
    return HelpSession.objects.filter(Q(customer=one) | Q(customer=other), state__in=_AHEAD)
