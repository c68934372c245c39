"""The chat of a session as a text to keep."""

from collections.abc import Iterator
from datetime import UTC
from textwrap import indent

from hopps.http import public_url
from sessions_app.chat import lines_of
from sessions_app.chat_words import size_text
from sessions_app.models import HelpSession
from sessions_app.receipts import plain

MARGIN = "    "


def transcript(session: HelpSession) -> str:
    """Return the whole chat: for each line when (UTC), who, and the words or the file's name, size and address.

    Words stand behind a margin, so that nobody can write what looks like a line of the other's.
    """
    return "\n".join(_lines(session)) + "\n"


def _lines(session: HelpSession) -> Iterator[str]:
    roles = {session.customer_id: "customer", session.expert_id: "expert"}
    yield f"{plain(session.title)}"
    people = " with ".join(plain(str(person)) for person in (session.customer, session.expert) if person is not None)
    yield f"{plain(str(session.topic))}: {people}"
    yield f"{public_url(session.get_absolute_url())} (times in UTC)"
    lines = lines_of(session)
    if not lines:
        yield ""
        yield "Nothing was written."
    for line in lines:
        role = roles.get(line.author)
        yield ""
        yield f"{line.sent_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} {plain(line.name)}" + (f" ({role})" if role else "")
        if line.file is not None:
            yield f"{MARGIN}File: {line.file.name} ({size_text(line.file.size)})"
            yield f"{MARGIN}{public_url(line.file.address)}"
        else:
            # By every kind of line end, as programs that show it may do.
            yield indent("\n".join(line.body.splitlines()), MARGIN, lambda _: True)
