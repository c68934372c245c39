"""Accepting a request: exactly one expert can."""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from hopps.errors import Refused
from sessions_app import jobs, live, metrics
from sessions_app.late import what_became
from sessions_app.matching import is_new_pair, may_accept
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.suspended import is_out, put_out
from sessions_app.timeline import record
from sessions_app.video import rooms


def accept(*, session_id: UUID, expert: User) -> HelpSession:
    """Give the request to `expert`, if it is still open.

    Returns:
        The accepted session.

    Raises:
        HelpSession.DoesNotExist: there is no such request for this expert.
        Refused: somebody else took it, it is over, or this expert is busy or not to help any more; the sentence says which.
    """
    session = HelpSession.objects.with_people().get(pk=session_id)
    if session.state == State.DRAFT or not may_accept(session, expert):
        raise HelpSession.DoesNotExist
    now = timezone.now()
    free_seconds = settings.FIT_WINDOW_SECONDS if is_new_pair(session, expert) else 0
    try:
        with transaction.atomic():
            won = HelpSession.objects.filter(pk=session_id, state=State.REQUESTED).update(
                state=State.ACCEPTED, expert=expert, accepted_at=now, free_seconds=free_seconds, video=settings.VIDEO
            )
    except IntegrityError:
        raise Refused("You are in another session. End it before you accept the next.") from None
    session = HelpSession.objects.with_people().get(pk=session_id)
    if not won:
        raise Refused(what_became(session, expert))
    record(session, TimelineEntry.Kind.ACCEPTED, by=expert, at=now)
    metrics.accepted(session, now)
    live.request_closed(session, "taken")
    live.session_changed(session)
    rooms.begin(session)
    jobs.look_again_when_due(session)
    if is_out(expert):  # suspended meanwhile: whoever did that found no session of theirs yet
        put_out(user=expert, by=None)
        raise Refused("Your account is not active, so you cannot accept requests.")
    return session
