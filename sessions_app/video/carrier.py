"""What a page is told of whatever carries its call."""

from accounts.models import User
from sessions_app.events import CarriedByPeer
from sessions_app.models import HelpSession
from sessions_app.video.ice import servers_for


def carrier_of(session: HelpSession, person: User) -> CarriedByPeer:
    """Return how `person`'s page reaches the other side, with credentials of its own where any are needed.

    Args:
        session: a live one.
        person: one of its two participants.
    """
    return servers_for(session_id=session.pk, person_id=person.pk)
