"""Where the video service is out of reach, the call goes between the two browsers: for both, and for the rest of it."""

import logging
from uuid import UUID

from django.conf import settings

from accounts.models import User
from hopps.errors import Refused
from hopps.realtime.hub import hub
from sessions_app.models import LIVE_STATES, HelpSession, TimelineEntry, Video
from sessions_app.timeline import record
from sessions_app.video import rooms
from sessions_app.video.service import VideoUnavailable

logger = logging.getLogger(__name__)

# The reason to wake the session's pages with: what carries their call is another thing now.
CARRIER = "carrier"
_GOES_ON = "the call goes on directly between the two browsers"


def have_room(session_id: UUID) -> None:
    """See to it that who joins now finds the room made; without it, the call goes between the browsers.

    Raises:
        Refused: there is no room, and the settings allow no other way.
    """
    try:
        rooms.open_room(session_id)
    except VideoUnavailable as problem:
        logger.warning("Session %s has no room: %s", session_id, problem)
        if not settings.VIDEO_FALLBACK:
            raise Refused(
                "The video service does not answer, so the call cannot start yet. Press “Join call” again in a minute; "
                "nothing is billed before you are both in."
            ) from problem
        _reroute(session_id, f"no room could be made; {_GOES_ON}")


def cannot_reach(*, session_id: UUID, person: User, reason: str) -> bool:
    """`person`'s page cannot reach the room: let the call go between the browsers. Every page of it is woken with CARRIER.

    Args:
        session_id: a session the page is in.
        person: one of its two participants.
        reason: what the page knows of it, for the log.

    Returns:
        Whether the call went between the browsers before: the page missed it, and is to be told.

    Raises:
        Refused: the settings allow no other way; the sentence says what to do.
    """
    session = HelpSession.objects.filter(pk=session_id, state__in=LIVE_STATES).first()
    if session is None:
        return False  # over, or given back: the room was ended for that
    if session.video == Video.PEER:
        return True
    logger.warning("Session %s: the page of %s cannot reach its room: %r", session_id, person.pk, reason)
    if not settings.VIDEO_FALLBACK:
        raise Refused(
            "Your browser cannot reach the video service. Pause the clock, try another network or switch off what filters "
            "this one (a VPN, an ad blocker), and reload the page. The chat works meanwhile."
        )
    _reroute(session_id, f"from {person}'s side; {_GOES_ON}")
    return False


def _reroute(session_id: UUID, note: str) -> None:
    won = HelpSession.objects.filter(pk=session_id, state__in=LIVE_STATES, video=Video.TWILIO).update(video=Video.PEER)
    if not won:
        return  # the other side's page was first
    session = HelpSession.objects.with_people().get(pk=session_id)
    record(session, TimelineEntry.Kind.REROUTED, note=note)
    hub.wake(session.audience, CARRIER)
    if session.room_sid:
        rooms.close_soon(session)
    # Otherwise nobody can be in it, if it was made at all. A service that is silent is not asked again and again for each
    # call, by workers that texts and bills wait for. Told of such a room, the sweep ends it; it ends by itself as well.
