"""When people ask and find nobody: unmet requests by weekday and hour, on the clock of whoever looks."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from accounts.hours_words import WEEKDAYS, clock_words
from sessions_app.models import HelpSession, State

WEEKS = 8
HOURS = tuple(range(24))
# Shades of the map: 0 is nothing, the last one the most.
SHADES = 5
# How many hours of the same height are named.
NAMED = 3


@dataclass(frozen=True)
class Asked:
    """A request that came to nothing: which topic it was about, and when it was made (UTC)."""

    topic_id: UUID
    at: datetime


@dataclass(frozen=True)
class Cell:
    """One hour of the week."""

    weekday: int
    hour: int
    count: int
    shade: int

    @property
    def name(self) -> str:
        """Such as "Tuesday 20:00–21:00"."""
        return f"{WEEKDAYS[self.weekday]} {clock_words(self.hour * 60)}–{clock_words(self.hour * 60 + 60)}"


@dataclass(frozen=True)
class HeatMap:
    """Unmet requests by weekday and hour; a row for each weekday, Monday first, with 24 cells."""

    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    total: int

    @property
    def hours(self) -> tuple[int, ...]:
        """The heads of the columns."""
        return HOURS

    @property
    def busiest(self) -> tuple[Cell, ...]:
        """The hours with the most unmet requests; none where there are none."""
        cells = [cell for _, row in self.rows for cell in row if cell.count]
        most = max((cell.count for cell in cells), default=0)
        return tuple(cell for cell in cells if cell.count == most)

    @property
    def sentence(self) -> str:
        """Such as "Most unmet: Tuesday 20:00–21:00, 4 requests."; empty where there is nothing to say."""
        if not self.busiest:
            return ""
        count = self.busiest[0].count
        requests = "1 request" if count == 1 else f"{count} requests"
        names = [cell.name for cell in self.busiest[:NAMED]]
        left = len(self.busiest) - len(names)
        if left:
            names.append(f"{left} more hour{'s' if left > 1 else ''}")
        if len(names) == 1:
            return f"Most unmet: {names[0]}, {requests}."
        return f"Most unmet: {', '.join(names[:-1])} and {names[-1]}, {requests} each."


def heat_map(moments: Iterable[datetime], time_zone: str) -> HeatMap:
    """Return how many of `moments` (aware) fall into each hour of the week on the wall clock of `time_zone`.

    The wall clock decides: where it is put back, the hour that comes twice counts both times.

    Args:
        time_zone: an IANA name.
    """
    zone = ZoneInfo(time_zone)
    counts = Counter((local.weekday(), local.hour) for local in (moment.astimezone(zone) for moment in moments))
    most = max(counts.values(), default=0)
    rows = tuple(
        (name, tuple(Cell(day, hour, counts[day, hour], shade(counts[day, hour], most)) for hour in HOURS))
        for day, name in enumerate(WEEKDAYS)
    )
    return HeatMap(rows=rows, total=counts.total())


def shade(count: int, most: int) -> int:
    """Return which of SHADES a cell of `count` has where the fullest has `most`: only an empty one has shade 0."""
    return -(-count * (SHADES - 1) // most) if most else 0


def is_unmet(
    *, state: str, end_reason: str, accepted_at: datetime | None, queued_at: datetime | None, ended_at: datetime | None
) -> bool:
    """Return whether a request came to nothing because nobody was there.

    It expired, or its customer asked to be told later, or called it off after having waited, with nobody accepting, for so
    long that the page said so (NOBODY_AFTER_SECONDS). The moments are in UTC.
    """
    if state == State.EXPIRED:
        return True
    if state != State.CANCELLED or accepted_at is not None:
        return False
    if end_reason == HelpSession.EndReason.LATER:
        return True
    if end_reason or queued_at is None or ended_at is None:
        return False
    return ended_at - queued_at >= timedelta(seconds=settings.NOBODY_AFTER_SECONDS)


def unmet(*, now: datetime, topic_ids: Collection[UUID] | None = None) -> list[Asked]:
    """Return the unmet requests of the last WEEKS weeks before `now` (UTC), about these topics, or about all of them."""
    of_topics = Q() if topic_ids is None else Q(topic_id__in=topic_ids)
    over = _asked(now).filter(of_topics, state__in=[State.EXPIRED, State.CANCELLED]).order_by()
    rows = over.values_list(
        "topic_id", "requested_at", "state", "end_reason", "accepted_at", "queued_at", "ended_at"
    ).iterator(chunk_size=2000)
    return [
        Asked(topic, asked_at)
        for topic, asked_at, state, reason, accepted_at, queued_at, ended_at in rows
        if asked_at is not None
        and is_unmet(state=state, end_reason=reason, accepted_at=accepted_at, queued_at=queued_at, ended_at=ended_at)
    ]


def asked_by_topic(*, now: datetime) -> Mapping[UUID, int]:
    """Return how many requests were made about each topic in the same weeks."""
    counted = _asked(now).values("topic_id").annotate(count=Count("pk")).order_by()
    return {row["topic_id"]: row["count"] for row in counted}


def _asked(now: datetime) -> QuerySet[HelpSession]:
    # Whole weeks back from this very moment: each hour of the week is in it equally often.
    return HelpSession.objects.filter(requested_at__gt=now - timedelta(weeks=WEEKS), requested_at__lte=now)
