"""What the customer thought of it."""

from django.db import IntegrityError, transaction

from accounts.models import User
from hopps.errors import Refused
from sessions_app import live
from sessions_app.models import HelpSession, Rating, State, TimelineEntry
from sessions_app.timeline import record


def rate(*, session: HelpSession, customer: User, stars: int, solved: str, comment: str) -> Rating:
    """Keep the customer's rating, once.

    Raises:
        Refused: the session has not ended, or it is rated already.
    """
    if session.state != State.ENDED:
        raise Refused("A session can be rated once it has ended.")
    try:
        with transaction.atomic():
            rating = Rating.objects.create(session=session, stars=stars, solved=solved, comment=comment)
    except IntegrityError:
        raise Refused("You have rated this session already. Thank you.") from None
    record(
        session, TimelineEntry.Kind.RATED, by=customer, note=f"{stars} of 5, solved: {rating.get_solved_display().lower()}"
    )
    live.session_changed(session)
    return rating
