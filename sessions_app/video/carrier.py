"""What a page is told of whatever carries its call."""

from accounts.models import User
from accounts.permissions import Do, may
from hopps.errors import Refused
from sessions_app.events import CarriedByPeer, CarriedByTwilio
from sessions_app.models import HelpSession, Video
from sessions_app.video.ice import servers_for

CLOSED = "This room is not open any more. Reload the page to see where the session stands."


def carrier_of(session: HelpSession, person: User) -> CarriedByPeer | CarriedByTwilio:
    """Return how `person`'s page reaches the other side, with credentials of its own where any are needed.

    Args:
        session: as it is now.
        person: who asks.

    Raises:
        Refused: there is no room any more, or it is not theirs.
    """
    if not session.is_live or not may(person, Do.TAKE_PART, session):
        raise Refused(CLOSED)
    if session.video == Video.TWILIO:
        return _by_twilio(session, person)
    return servers_for(session_id=session.pk, person_id=person.pk)


def _by_twilio(session: HelpSession, person: User) -> CarriedByTwilio:
    from sessions_app.video.twilio import TOKEN_SECONDS, token_for  # late: who does not use it need not load its library

    if not session.room_sid:
        raise Refused(CLOSED)
    token = token_for(room_sid=session.room_sid, person_id=person.pk)
    return CarriedByTwilio(room=session.room_sid, token=token, seconds=TOKEN_SECONDS)
