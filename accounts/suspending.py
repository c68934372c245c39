"""Keeping somebody out, and letting them in again: an operator decides, with a reason, and it holds at once.

Not to be confused with an expert who is suspended from helping (`deciding.suspend`): that one may still sign in and ask.

The open `Suspension` row is the truth. `User.is_active`, which every sign-in, socket and query looks at, follows it; where
a crash or a race left the two apart, the sweep (`heal_suspensions`) has it follow.
"""

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import push
from accounts.experts import refresh_boards
from accounts.models import ExpertProfile, Suspension, User
from accounts.signals import person_suspended
from hopps.each import look_after
from hopps.errors import Refused
from hopps.realtime.hub import hub
from hopps.realtime.sockets import PERSON, person_audience


def suspend(*, user: User, by: User, reason: str) -> Suspension:
    """Keep `user` out: signed out everywhere, sockets closed, off every board; their requests and calls end.

    Args:
        user: whom.
        by: the operator.
        reason: for operators; the person does not read it.

    Returns:
        The open suspension.

    Raises:
        Refused: there is no reason, it is oneself, the account is gone, or the person is suspended already.
    """
    if user.pk == by.pk:
        raise Refused("You cannot suspend yourself.")
    if not reason.strip():
        raise Refused("Say why: the next operator reads it.")
    if User.objects.filter(pk=user.pk, erased_at__isnull=False).exists():
        raise Refused("This account was deleted. There is nobody to suspend.")
    try:
        with transaction.atomic():
            suspension = Suspension.objects.create(user=user, by=by, reason=reason.strip()[:500])
    except IntegrityError:
        raise Refused(f"{user} is suspended already.") from None
    _put_out(suspension)
    return suspension


def lift(*, user: User, by: User) -> bool:
    """Let `user` sign in again, also somebody who was made inactive before there were suspensions.

    Nothing else comes back by itself: experts turn their availability on, and what ended stays ended.

    Returns:
        False where there was nothing to lift.

    Raises:
        Refused: the account was deleted.
    """
    if User.objects.filter(pk=user.pk, erased_at__isnull=False).exists():
        raise Refused("This account was deleted by its owner. It does not come back.")
    lifted = Suspension.objects.filter(user=user, lifted_at=None).update(lifted_at=timezone.now(), lifted_by=by)
    opened = User.objects.filter(pk=user.pk, is_active=False, erased_at=None).update(is_active=True)
    # Suspended anew by another operator in between: that holds.
    again = open_suspension_of(user)
    if again is not None:
        _put_out(again)
    return bool(lifted or opened)


def open_suspension_of(user: User) -> Suspension | None:
    """Return the suspension that holds for `user` now, if any."""
    return Suspension.objects.filter(user=user, lifted_at=None).select_related("user", "by").first()


def suspended_ids() -> list[UUID]:
    """Return the ids of everybody who is suspended now."""
    return list(Suspension.objects.filter(lifted_at=None).order_by().values_list("user_id", flat=True))


def heal_suspensions() -> None:
    """Put out whoever has an open suspension and is active all the same: a crash, or a lift at the same moment."""
    left = Suspension.objects.filter(lifted_at=None, user__is_active=True).select_related("user", "by")
    look_after(left, _put_out, name="Suspension")


def _put_out(suspension: Suspension) -> None:
    """Do all that follows from an open suspension. Safe to repeat."""
    user = suspension.user
    User.objects.filter(pk=user.pk, is_active=True).update(is_active=False)
    ExpertProfile.objects.filter(user=user, available=True).update(available=False)
    for sign_in in UserSession.objects.filter(user=user):
        sign_in.end()
    # Let in again, they are told where they signed in again, and nowhere else.
    push.forget_elsewhere(user=user)
    # Every socket of theirs, on every process, asks whether it may stay. It may not.
    hub.wake(person_audience(user.pk), PERSON)
    refresh_boards(user.pk)
    person_suspended.send_robust(sender=Suspension, suspension=suspension)
