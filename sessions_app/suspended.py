"""What a suspension means for help sessions: nothing of the person's stays open, and nobody else pays for it.

A request is called off and its hold released. A request they accepted goes back to the other experts. A call ends at once:
what was used of it is charged, as at any other end, and the other side reads that Hopps ended it, not why or for whom.
"""

from functools import partial

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.suspending import open_suspension_of
from hopps.each import look_after
from sessions_app.cancel import call_off_by_hopps
from sessions_app.end import finish
from sessions_app.models import LIVE_STATES, OPEN_STATES, HelpSession, State, TimelineEntry, Watch
from sessions_app.release import return_to_queue

_UNFINISHED = (State.DRAFT, *OPEN_STATES)


def put_out(*, user: User, by: User | None) -> None:
    """End whatever `user` has open as customer or expert, and what they were to be told. Safe to repeat.

    Args:
        by: the operator who suspended them; operators alone read it.
    """
    Watch.objects.filter(customer=user, ended_at=None).update(ended_at=timezone.now())
    asked = HelpSession.objects.filter(customer=user, state__in=_UNFINISHED)
    accepted = HelpSession.objects.filter(expert=user, state__in=LIVE_STATES)
    look_after([*asked, *accepted], partial(_end, user=user, by=by), name="Session")


def is_out(user: User) -> bool:
    """Return whether `user` may not use Hopps any more, by what the database says now."""
    return User.objects.filter(pk=user.pk, is_active=False).exists()


def put_out_all() -> None:
    """End what people have open who may not use Hopps: a signal was lost, or they were quicker than it by a moment."""
    open_still = Q(customer__is_active=False, state__in=_UNFINISHED) | Q(expert__is_active=False, state__in=LIVE_STATES)
    look_after(HelpSession.objects.filter(open_still).with_people(), _end_for_whom_it_must, name="Session")


def _end_for_whom_it_must(session: HelpSession) -> None:
    user = session.expert if session.customer.is_active and session.expert is not None else session.customer
    suspension = open_suspension_of(user)
    _end(session, user=user, by=suspension.by if suspension is not None else None)


def _end(session: HelpSession, *, user: User, by: User | None) -> None:
    """End what `session` is at this moment. Step by step from the earliest state: it may move on meanwhile, and only on."""
    if session.customer_id == user.pk:
        if call_off_by_hopps(session_id=session.pk, by=by):
            return
    elif return_to_queue(session_id=session.pk, expert=user, by=by, kind=TimelineEntry.Kind.REQUEUED, note="by Hopps"):
        return
    finish(session_id=session.pk, reason=HelpSession.EndReason.HOPPS, by=by, at=timezone.now())
