"""What an expert is told of a request."""

from django.urls import reverse
from django.utils.text import Truncator

from accounts.models import Message
from accounts.outbox import Words
from hopps.http import public_url
from hopps.money import format_money
from sessions_app.models import HelpSession

# Two texts' worth of plain letters hold everything with a title of this length.
TITLE_LENGTH = 60


def words_for(session: HelpSession, way: Message.Way, *, asked_first: bool = False) -> Words:
    """Return what `way` says of an open request; its link leads there, ready to accept."""
    url = public_url(reverse("session", args=[session.pk]))
    price = f"{format_money(session.price_per_minute, session.currency)}/min"
    who = f"{session.customer} asks for you" if asked_first else f"{session.customer} is stuck"
    title = f"{who}: {session.title}"
    match way:
        case Message.Way.TEXT:
            # Straight quotes: curly ones would halve what fits into one text.
            short = Truncator(session.title).chars(TITLE_LENGTH, truncate="...")
            text = f'Hopps: {who}: "{short}" ({session.topic.name}, {price}). Accept: {url} Reply STOP for no more texts.'
        case Message.Way.MAIL:
            text = (
                f"{title}\n\n{session.details}\n\n{session.topic}, {price}, up to {session.cap_minutes} minutes.\n\n"
                f"Read it and accept: {url}\n\nThe first expert to accept gets it. "
                f"Change how you are told: {public_url(reverse('expert_reach'))}\n"
            )
        case _:
            text = f"{session.topic}, {price}, up to {session.cap_minutes} min"
    return Words(title=title, text=text, url=url, tag=f"request-{session.pk}")
