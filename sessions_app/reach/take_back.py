"""A request that is taken disappears from the experts' phones and desktops."""

from uuid import UUID

from accounts.models import Message, User
from accounts.push import push_to
from hopps.push import Notification
from sessions_app.models import Exclusion, HelpSession, State
from sessions_app.reach import jobs
from sessions_app.reach.words import tag_of


def take_back(session_id: UUID) -> None:
    """Set a job for each expert whose notification about a request that is not open any more is to be taken back.

    Where the push service's answer was lost, the notification may be there all the same.
    """
    if _is_open(session_id):
        return
    shown = Message.objects.filter(reference=session_id, way=Message.Way.PUSH, began_at__isnull=False)
    for person in set(shown.values_list("to_id", flat=True)):
        jobs.take_back_from(str(session_id), str(person))


def take_back_from(session_id: UUID, person: User) -> None:
    """Take the notification back from one person's browsers: the request is not open any more, or not for them.

    Raises:
        NotTaken: a push service does not answer; asking again does no harm.
    """
    if not _is_open(session_id) or Exclusion.objects.filter(session=session_id, expert=person).exists():
        push_to(person, Notification("close", tag_of(session_id)))


def _is_open(session_id: UUID) -> bool:
    return HelpSession.objects.filter(pk=session_id, state=State.REQUESTED).exists()
