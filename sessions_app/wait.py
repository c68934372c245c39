"""Waiting for an expert: what is happening meanwhile, said honestly, and the choice to go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import REACHED, Message, User
from hopps.errors import Refused
from sessions_app import jobs, live
from sessions_app.matching import alerted_count, free_experts
from sessions_app.models import LIVE_STATES, HelpSession, State, TimelineEntry
from sessions_app.timeline import record

# How people are told, in the words of the waiting page, in the order in which it names them.
TOLD_BY = {Message.Way.TEXT: "texted", Message.Way.PUSH: "notified", Message.Way.MAIL: "mailed"}


@dataclass(frozen=True)
class Happening:
    """What a waiting customer is told."""

    alerted: int
    """Experts with the request on an open board now, or told by message."""
    on_boards: int
    told: str
    """Who was told by message and when, without a full stop; empty where nobody was."""
    first_expert: User | None
    """Whose alone the request is now."""
    opened_because: str
    """Why the expert who was to be asked first is not, or not any more; empty where none was wanted."""
    nobody_came: bool
    """Whether it is time for the choice: go on, hear later, or leave."""
    waited_minutes: int
    """Since the customer asked, or last chose to go on."""
    changes_at: datetime | None
    """The next moment at which this changes by time alone (UTC)."""
    stands_minutes: int
    """For how long a request stands from its being asked, or from the choice to go on."""
    just_kept: bool
    """Whether the customer chose to go on within the last minute: that is confirmed."""


def happening(session: HelpSession, now: datetime) -> Happening:
    """Return what is happening with an open request at `now` (UTC).

    Args:
        session: with its topic and the expert asked first.
    """
    messages = list(Message.objects.filter(reference=session.pk, state__in=REACHED).exclude(way=Message.Way.BOARD))
    alone = session.is_for_first_expert(now)
    since, choice_at = session.waiting_since or now, _choice_at(session)
    kept_at = session.kept_waiting_at
    moments = [session.first_until if alone else None, choice_at]
    opened = (
        session.timeline.filter(kind=TimelineEntry.Kind.OPENED).last() if session.first_expert_id and not alone else None
    )
    return Happening(
        alerted=alerted_count(session),
        on_boards=free_experts(session).online(now).count(),
        told=_told(messages, now),
        first_expert=session.first_expert if alone else None,
        opened_because=opened.note if opened is not None else "",
        nobody_came=choice_at is not None and choice_at <= now,
        waited_minutes=int((now - since).total_seconds() // 60),
        changes_at=min((moment for moment in moments if moment is not None and moment > now), default=None),
        stands_minutes=settings.REQUEST_EXPIRES_SECONDS // 60,
        just_kept=kept_at is not None and kept_at == since and now - kept_at < timedelta(minutes=1),
    )


def keep_waiting(*, session_id: UUID, customer: User) -> None:
    """Go on waiting: the request stands as long again from now, and the waves go on. Pressed twice it happens once.

    Raises:
        Refused: the request is over.
    """
    now = timezone.now()
    asked = HelpSession.objects.filter(pk=session_id, customer=customer)
    due = now - timedelta(seconds=settings.NOBODY_AFTER_SECONDS)
    unanswered = Q(kept_waiting_at=None) | Q(kept_waiting_at__lte=due)
    if asked.filter(unanswered, state=State.REQUESTED, queued_at__lte=due).update(kept_waiting_at=now):
        session = asked.with_people().get()
        record(session, TimelineEntry.Kind.WAITED, by=customer, at=now)
        live.session_changed(session)
        jobs.look_again_when_due(session)
    elif not asked.filter(state__in=[State.REQUESTED, *LIVE_STATES]).exists():
        raise Refused("This request is over. You can ask again with the same words.")


def _choice_at(session: HelpSession) -> datetime | None:
    since = session.waiting_since
    return since and since + timedelta(seconds=settings.NOBODY_AFTER_SECONDS)


def _told(messages: list[Message], now: datetime) -> str:
    """Return such as "3 experts were texted and 1 was mailed a minute ago"."""
    counts = {way: len({message.to_id for message in messages if message.way == way}) for way in TOLD_BY}
    parts = [f"{count} {'was' if count == 1 else 'were'} {TOLD_BY[way]}" for way, count in counts.items() if count]
    if not parts:
        return ""
    count, _, rest = parts[0].partition(" ")
    first = f"{count} expert{'' if count == '1' else 's'} {rest}"
    sentence = " and ".join([", ".join([first, *parts[1:-1]]), *parts[1:][-1:]])
    latest = max(message.sent_at for message in messages if message.sent_at is not None)
    return f"{sentence}, the last {_ago(latest, now)}" if len(messages) > 1 else f"{sentence} {_ago(latest, now)}"


def _ago(moment: datetime, now: datetime) -> str:
    """Return such as "3 minutes ago". In whole minutes: a screen reader is not told anew every few seconds."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    return "a minute ago" if minutes == 1 else f"{minutes} minutes ago"
