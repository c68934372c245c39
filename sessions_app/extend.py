"""More time: a further hold raises the cap."""

from django.urls import reverse

from accounts.models import User
from billing import holds
from billing.models import Card
from hopps.errors import Refused
from sessions_app import jobs, live
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.timeline import record


def extend(*, session: HelpSession, customer: User, minutes: int, card: Card, seen_cap_minutes: int) -> str | None:
    """Hold the price of `minutes` more on `card`.

    Args:
        session: the running session.
        customer: whose it is.
        minutes: how much more.
        card: one of the customer's.
        seen_cap_minutes: the cap the customer saw when deciding; so a form sent twice extends once.

    Returns:
        None when the cap is raised, or the address where the bank wants to see the customer first.

    Raises:
        Refused: the session is not running, or the card said no.
    """
    if session.state != State.ACTIVE:
        raise Refused("Only a running session can be extended.")
    placed, held_minor = holds.held_so_far(session.pk)
    held_minutes = held_minor // session.price_per_minute
    if held_minutes != seen_cap_minutes:
        raise_cap(session=session)  # where a crash kept an earlier extension from being told
        raise Refused(f"This session was extended meanwhile: its cap is {held_minutes} min now.")
    outcome = holds.place_hold(
        reference=session.pk,
        payer=customer,
        amount_minor=minutes * session.price_per_minute,
        currency=session.currency,
        description=session.title,
        card=card,
        return_url=reverse("session", args=[session.pk]),
        placed_before=placed,
    )
    match outcome:
        case holds.HoldPlaced():
            return None  # billing's signal raised the cap
        case holds.HoldNeedsAction(url=url):
            return url
        case holds.HoldDeclined(sentence=sentence) | holds.HoldInProgress(sentence=sentence):
            raise Refused(sentence)


def raise_cap(*, session: HelpSession) -> bool:
    """Make the cap what is held by now, and return whether that raised it. Whoever comes second finds it raised."""
    _, held_minor = holds.held_so_far(session.pk)
    minutes = held_minor // session.price_per_minute
    won = HelpSession.objects.filter(pk=session.pk, state=State.ACTIVE, cap_minutes__lt=minutes).update(cap_minutes=minutes)
    if not won:
        return False
    more = minutes - session.cap_minutes
    session.refresh_from_db()
    record(session, TimelineEntry.Kind.EXTENDED, by=session.customer, note=f"{more} min more")
    live.clock_changed(session)
    jobs.look_again_when_due(session)
    return True
