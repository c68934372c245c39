"""What a page is told of whatever carries its call."""

from django.conf import settings

from accounts.models import User
from sessions_app.events import CarriedByPeer, IceServer
from sessions_app.models import HelpSession


def carrier_of(session: HelpSession, person: User) -> CarriedByPeer:
    """Return how `person`'s page reaches the other side, with credentials of its own where any are needed.

    Args:
        session: a live one.
        person: one of its two participants.
    """
    return CarriedByPeer(ice_servers=[IceServer(urls=settings.STUN_URLS)] if settings.STUN_URLS else [], seconds=None)
