"""The servers by which two browsers find a way to each other: STUN tells them their addresses, TURN relays for them."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from hopps import turn
from sessions_app.events import CarriedByPeer, IceServer


def servers_for(*, session_id: UUID, person_id: UUID) -> CarriedByPeer:
    """Return the servers for one person's page in one session, with a relay's credential of its own."""
    servers = [IceServer(urls=settings.STUN_URLS)] if settings.STUN_URLS else []
    if not settings.TURN_URLS:
        return CarriedByPeer(ice_servers=servers, seconds=None, relay_only=False)
    credential = turn.mint(
        secret=settings.TURN_SECRET,
        holder=f"{session_id}.{person_id}",
        expires_at=int(timezone.now().timestamp()) + settings.TURN_SECONDS,
    )
    servers.append(IceServer(urls=settings.TURN_URLS, username=credential.username, credential=credential.password))
    return CarriedByPeer(ice_servers=servers, seconds=settings.TURN_SECONDS, relay_only=settings.TURN_ONLY)
