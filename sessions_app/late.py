"""Coming too late: an expert who follows the link of a text after the request went another way."""

from django.contrib.humanize.templatetags.humanize import naturaltime

from accounts.models import REACHED, Message, User
from sessions_app.matching import may_accept
from sessions_app.models import Exclusion, HelpSession, State


def is_late_for(session: HelpSession, user: User) -> bool:
    """Return whether `user` was told of this request, or could have accepted it, and no longer can.

    Args:
        session: one that `user` does not take part in.
    """
    if session.requested_at is None or session.customer_id == user.pk:
        return False
    if session.state != State.REQUESTED and may_accept(session, user):
        return True
    return Message.objects.filter(reference=session.pk, to=user, state__in=REACHED).exists()


def what_became(session: HelpSession, expert: User) -> str:
    """Return, in one sentence for `expert`, why this request cannot be accepted any more."""
    ended = naturaltime(session.ended_at) if session.ended_at else "already"
    match session.state:
        case State.CANCELLED if session.expert_id in (None, expert.pk):
            return f"This request was cancelled {ended}."
        case State.EXPIRED:
            return f"Nobody accepted this request in time. It ended {ended}."
        # Nobody is told of a block.
        case State.REQUESTED if Exclusion.objects.filter(session=session, expert=expert).exclude(blocked=True).exists():
            return "You left this one to the other experts."
        case State.REQUESTED:
            return "This request is not for you at the moment."
    if session.expert_id == expert.pk:
        return "You accepted this one already."
    taken = naturaltime(session.accepted_at) if session.accepted_at else "already"
    return f"Another expert took this one {taken}."
