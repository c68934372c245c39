"""A request that is taken disappears from the experts' phones and desktops."""

from uuid import UUID

from accounts.models import REACHED, Message, User
from accounts.push import push_to
from hopps.push import Notification
from hopps.sending import NotTaken
from sessions_app.models import HelpSession, State


def take_back(session_id: UUID) -> None:
    """Take back every notification about a request that is not open any more.

    Raises:
        NotTaken: a push service does not answer; asking again does no harm.
    """
    if HelpSession.objects.filter(pk=session_id, state=State.REQUESTED).exists():
        return
    pushed = Message.objects.filter(reference=session_id, way=Message.Way.PUSH, state__in=REACHED)
    problem: NotTaken | None = None
    for person in User.objects.filter(pk__in=list(pushed.values_list("to_id", flat=True))):
        try:
            push_to(person, Notification("close", f"request-{session_id}"))
        except NotTaken as not_taken:
            problem = not_taken
    if problem is not None:
        raise problem
