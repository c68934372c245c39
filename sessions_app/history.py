"""Past and running sessions of one person: filter, search, what was paid, export."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from billing.models import Payment
from billing.paid import payments_for, theirs_of
from hopps.csv_files import safe
from sessions_app.models import OPEN_STATES, ChatFile, ChatMessage, HelpSession, HelpSessionQuerySet, SharedNotes

CSV_HEADER = (
    "Session", "Asked at (UTC)", "As", "With", "Topic", "Title", "State",
    "Billable seconds", "Amount (minor units)", "Currency", "Charged (minor units)", "Refunded (minor units)",
    "Chat lines", "Files", "Notes",
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


def have_met(one: User, other: User) -> bool:
    """Return whether the two are, or were, customer and expert of one session."""
    return HelpSession.objects.filter(Q(customer=one, expert=other) | Q(customer=other, expert=one)).exists()


def role_in(session: HelpSession, user: User) -> str:
    """Return "customer" or "expert": what `user` is in one of their sessions."""
    return "customer" if session.customer_id == user.pk else "expert"


@dataclass(frozen=True)
class Money:
    """What a session came to for one person, in minor units of the session's currency.

    Attributes:
        amount_minor: what the customer paid in the end, or what of it is the expert's.
        charged_minor, refunded_minor: how that came about; None for the expert, whose earnings have pages of their own.
        due_minor: what the card was not charged yet, or refused; 0 for the expert.
        known: whether there is an amount at all; 0 counts as one.
    """

    amount_minor: int = 0
    charged_minor: int | None = None
    refunded_minor: int | None = None
    due_minor: int = 0
    known: bool = False


class PaidAndEarned:
    """What a person paid, and what is theirs, for some of their sessions: read at once, told one by one."""

    def __init__(self, user: User, session_ids: "Iterable[UUID] | QuerySet[HelpSession, UUID]") -> None:
        self.user = user
        self._payments = payments_for(session_ids)
        self._theirs = theirs_of(user, session_ids)

    def of(self, session: HelpSession) -> Money:
        """Return what `session` came to for the person."""
        if role_in(session, self.user) == "expert":
            theirs = self._theirs.get(session.pk)
            free = session.pk in self._payments and self._payments[session.pk].state == Payment.State.RELEASED
            return Money(amount_minor=theirs or 0, known=session.settled_at is not None and (theirs is not None or free))
        payment = self._payments.get(session.pk)
        if payment is None or session.settled_at is None:
            return Money(charged_minor=0, refunded_minor=0)
        is_settled = payment.state in (Payment.State.CHARGED, Payment.State.RELEASED)
        return Money(
            amount_minor=payment.paid_minor,
            charged_minor=payment.charged_minor,
            refunded_minor=payment.refunded_minor,
            due_minor=0 if is_settled else session.amount_minor,
            known=True,
        )


def csv_rows(user: User, sessions: HelpSessionQuerySet) -> Iterator[tuple[object, ...]]:
    """Yield the header and then one row a session. The amount is what was paid, or what is the expert's."""
    yield CSV_HEADER
    ids = sessions.order_by().values_list("pk", flat=True)
    money = PaidAndEarned(user, ids)
    lines = _counts(ChatMessage.objects.exclude(body=""), ids)
    files = _counts(ChatFile.objects.all(), ids)
    notes = set(SharedNotes.objects.filter(session__in=ids).exclude(body="").values_list("session", flat=True))
    for session in sessions.iterator(chunk_size=500):
        other = session.other(user)
        asked = session.requested_at or session.created_at
        came_to = money.of(session)
        yield (
            session.pk,
            asked.astimezone(UTC).isoformat(timespec="seconds"),
            role_in(session, user),
            safe(str(other)) if other else "",
            safe(str(session.topic)),
            safe(session.title),
            session.get_state_display(),
            session.billable_seconds,
            came_to.amount_minor,
            session.currency,
            came_to.charged_minor,
            came_to.refunded_minor,
            lines.get(session.pk, 0),
            files.get(session.pk, 0),
            "yes" if session.pk in notes else "no",
        )


def _counts(rows: "QuerySet[Any]", session_ids: "QuerySet[HelpSession, UUID]") -> dict[UUID, int]:
    """Return how many of `rows` each session has, those without any left out."""
    of_these = rows.filter(session__in=session_ids).order_by()
    return dict(of_these.values_list("session").annotate(count=Count("pk")))
