"""Past and running sessions of one person: filter, search, export."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from django.db.models import Q

from accounts.models import User
from hopps.csv_files import safe
from sessions_app.models import OPEN_STATES, HelpSession, HelpSessionQuerySet

CSV_HEADER = (
    "Session", "Asked at (UTC)", "As", "With", "Topic", "Title", "State",
    "Billable seconds", "Amount (minor units)", "Currency",
)  # fmt: skip


@dataclass(frozen=True)
class HistoryFilter:
    """What a person wants to see of their history; empty means everything."""

    role: str = ""
    state: str = ""
    q: str = ""


def history_of(user: User, wanted: HistoryFilter) -> HelpSessionQuerySet:
    """Return the sessions of `user` that match, newest first; what was never sent is left out."""
    sessions = HelpSession.objects.of(user).filter(requested_at__isnull=False).with_people()
    if wanted.role == "customer":
        sessions = sessions.filter(customer=user)
    elif wanted.role == "expert":
        sessions = sessions.filter(expert=user)
    if wanted.state == "open":
        sessions = sessions.filter(state__in=OPEN_STATES)
    elif wanted.state:
        sessions = sessions.filter(state=wanted.state)
    if wanted.q:
        sessions = sessions.filter(Q(title__icontains=wanted.q) | Q(details__icontains=wanted.q))
    return sessions.order_by("-created_at")


def role_in(session: HelpSession, user: User) -> str:
    """Return "customer" or "expert": what `user` is in one of their sessions."""
    return "customer" if session.customer_id == user.pk else "expert"


def csv_rows(user: User, sessions: HelpSessionQuerySet) -> Iterator[tuple[object, ...]]:
    """Yield the header and then one row a session."""
    yield CSV_HEADER
    for session in sessions.iterator(chunk_size=500):
        other = session.other(user)
        asked = session.requested_at or session.created_at
        yield (
            session.pk,
            asked.astimezone(UTC).isoformat(timespec="seconds"),
            role_in(session, user),
            safe(str(other)) if other else "",
            safe(str(session.topic)),
            safe(session.title),
            session.get_state_display(),
            session.billable_seconds,
            session.amount_minor,
            session.currency,
        )
