"""What became of the requests one expert was told of: how many, how many of them accepted, and how soon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import REACHED, Message, User
from sessions_app.models import Exclusion, HelpSession, State, TimelineEntry

# The periods the page shows, in days; today is the last of them.
PERIODS = (7, 30)
# Nobody misses what is called off sooner after they heard of it.
TOO_SOON = timedelta(seconds=20)
# A message is older than the one that follows it, and a session began before what came meanwhile.
_MARGIN = timedelta(days=1)


class Outcome(Enum):
    """What became of a request, as the expert who was told of it sees it."""

    ACCEPTED = "accepted"
    GIVEN_BACK = "given back"
    MISSED = "missed"
    OPEN = "still open"
    NOT_THEIRS = "called off at once, passed on, or the expert was in a session"


_DECIDED = (Outcome.ACCEPTED, Outcome.MISSED, Outcome.GIVEN_BACK)


@dataclass(frozen=True)
class Heard:
    """One request an expert heard of.

    Attributes:
        at: when they were first told (UTC); where no message is known, when they took it.
        ways: the ways in which they were told of it; empty where they found it by themselves.
        seconds: from being told to accepting; None unless accepted and told.
    """

    at: datetime
    ways: frozenset[str]
    outcome: Outcome
    seconds: float | None = None


@dataclass(frozen=True)
class ByWay:
    """Requests told in one way, and how many of these were accepted."""

    way: str
    told: int
    accepted: int


@dataclass(frozen=True)
class Numbers:
    """What the page shows of one period of so many `days`.

    `rate`: of what they were told of and was theirs to take, the percentage they took; None where nothing was.
    """

    days: int
    told: int
    accepted: int
    given_back: int
    missed: int
    uncounted: int
    rate: int | None
    median_seconds: int | None
    by_way: tuple[ByWay, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.told or self.accepted or self.given_back)


def figures_of(user: User, *, now: datetime) -> list[Numbers]:
    """Return the numbers of `user` as an expert for each of PERIODS, up to `now` (UTC)."""
    since = start_of(max(PERIODS), user.time_zone, now)
    heard = heard_by(user, since=since)
    return [count(heard, days=days, since=start_of(days, user.time_zone, now)) for days in PERIODS]


def start_of(days: int, time_zone: str, now: datetime) -> datetime:
    """Return the midnight in `time_zone` (an IANA name) with which the last `days` days before `now` (aware) begin."""
    zone = ZoneInfo(time_zone)
    first = now.astimezone(zone).date() - timedelta(days=days - 1)
    return datetime.combine(first, time.min, tzinfo=zone)


def count(heard: Iterable[Heard], *, days: int, since: datetime) -> Numbers:
    """Add up what was heard from `since` (aware) on, a period of `days` days."""
    these = [one for one in heard if one.at >= since]
    accepted = [one for one in these if one.outcome is Outcome.ACCEPTED]
    waits = [one.seconds for one in accepted if one.seconds is not None]
    decided = [one for one in these if one.ways and one.outcome in _DECIDED]
    tally = {outcome: sum(one.outcome is outcome for one in these) for outcome in Outcome}
    return Numbers(
        days=days,
        told=sum(bool(one.ways) for one in these),
        accepted=len(accepted),
        given_back=tally[Outcome.GIVEN_BACK],
        missed=tally[Outcome.MISSED],
        uncounted=tally[Outcome.OPEN] + tally[Outcome.NOT_THEIRS],
        rate=round(100 * sum(one.outcome is Outcome.ACCEPTED for one in decided) / len(decided)) if decided else None,
        median_seconds=round(median(waits)) if waits else None,
        by_way=tuple(
            ByWay(
                way=str(way.label),
                told=sum(way in one.ways for one in these),
                accepted=sum(way in one.ways for one in accepted),
            )
            for way in Message.Way
        ),
    )


def heard_by(user: User, *, since: datetime) -> list[Heard]:
    """Return every request `user` first heard of after `since` (aware), in four queries however many there are."""
    told = _told(user, since)
    mine = Q(expert=user, accepted_at__gte=since - _MARGIN)
    # By their ids: asked of the messages' table in the same question, MongoDB would look at every session there is.
    sessions = list(HelpSession.objects.filter(mine | Q(pk__in=list(told))).exclude(state=State.DRAFT))
    excluded = Exclusion.objects.filter(expert=user, session__created_at__gte=since - _MARGIN)
    taken = excluded.filter(session__timeline__kind=TimelineEntry.Kind.ACCEPTED, session__timeline__by=user)
    given_back = dict(taken.values_list("session_id", "session__created_at"))
    passed_on = set(excluded.values_list("session_id", flat=True)) - given_back.keys()
    busy = [(one.accepted_at, one.ended_at) for one in sessions if one.expert_id == user.pk and one.accepted_at]
    heard = []
    for session in sessions:
        first_told, ways = told.get(session.pk, (None, frozenset()))
        at = first_told or session.accepted_at or session.created_at
        if session.pk in passed_on:
            outcome = Outcome.NOT_THEIRS
        else:
            outcome = outcome_of(session, user, told_at=at, gave_back=session.pk in given_back, busy=busy)
        heard.append(Heard(at, ways, outcome, _seconds(session, first_told) if outcome is Outcome.ACCEPTED else None))
    known = {session.pk for session in sessions}
    untold = [at for pk, at in given_back.items() if pk not in known]
    heard.extend(Heard(at, frozenset(), Outcome.GIVEN_BACK) for at in untold)
    return [one for one in heard if one.at >= since]


def outcome_of(
    session: HelpSession,
    user: User,
    *,
    told_at: datetime,
    gave_back: bool,
    busy: Sequence[tuple[datetime, datetime | None]],
) -> Outcome:
    """Return what became of `session` for the expert `user`.

    Args:
        told_at: when they first heard of it (UTC).
        gave_back: whether they accepted it and gave it back, or did not come.
        busy: from when until when (None: still) they were in sessions of their own.
    """
    if session.expert_id == user.pk:
        return Outcome.ACCEPTED
    if gave_back:
        return Outcome.GIVEN_BACK
    if session.state == State.REQUESTED:
        return Outcome.OPEN
    gone_at = session.accepted_at if session.expert_id else session.ended_at
    if gone_at is None or any(start <= gone_at and (end is None or gone_at < end) for start, end in busy):
        return Outcome.NOT_THEIRS
    if session.expert_id or session.state == State.EXPIRED:
        return Outcome.MISSED
    lost_its_hold = session.end_reason == HelpSession.EndReason.NO_HOLD
    return Outcome.NOT_THEIRS if lost_its_hold or gone_at < told_at + TOO_SOON else Outcome.MISSED


def _seconds(session: HelpSession, told_at: datetime | None) -> float | None:
    """How long the expert took. While another expert had the request, and gave it back, it was not theirs to take."""
    if told_at is None or session.accepted_at is None:
        return None
    since = max(told_at, session.queued_at or told_at)
    return max(0.0, (session.accepted_at - since).total_seconds())


def _messages(user: User, since: datetime) -> QuerySet[Message]:
    """What reached `user` about requests. A margin before `since`, so that the first message is known to be the first."""
    return Message.objects.filter(
        to=user,
        purpose=Message.Purpose.REQUEST,
        state__in=REACHED,
        reference__isnull=False,
        created_at__gte=since - _MARGIN,
    ).order_by()


def _told(user: User, since: datetime) -> dict[UUID, tuple[datetime, frozenset[str]]]:
    """When and in which ways `user` was first told of each request."""
    told: dict[UUID, tuple[datetime, frozenset[str]]] = {}
    for message in _messages(user, since):
        assert message.reference is not None
        at = message.sent_at or message.created_at
        first, ways = told.get(message.reference, (at, frozenset()))
        told[message.reference] = (min(first, at), ways | {message.way})
    return told
