"""The hours in which an expert may be reached by message: pure arithmetic on the expert's own wall clock."""

import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

DAY = 24 * 60
WEEK = 7 * DAY
# A stretch that a change of the clock leaves out comes again a week later.
LOOK_AHEAD = timedelta(days=15)


class Stretch(NamedTuple):
    """A stretch of the week by the wall clock; `end_minute` not after `start_minute` means on the next day."""

    weekday: int
    start_minute: int
    end_minute: int


def within_hours(hours: Iterable[Stretch], time_zone: str, now: datetime) -> bool:
    """Return whether `now` falls into `hours` on the wall clock of `time_zone`.

    The wall clock decides, so nine in the morning is nine in the morning all year. Where the clock is put back, an hour that
    comes twice counts both times; one that is left out does not come at all.

    Args:
        hours: stretches of the week; the start belongs to a stretch, the end does not.
        time_zone: an IANA name.
        now: aware, in any zone.
    """
    local = now.astimezone(zoneinfo.ZoneInfo(time_zone))
    weekday, minute = local.weekday(), local.hour * 60 + local.minute
    return any(_contains(stretch, weekday, minute) for stretch in hours)


def next_opening(hours: Iterable[Stretch], time_zone: str, now: datetime) -> datetime | None:
    """Return the first moment, not before `now`, that falls into `hours`; None where none does.

    Args:
        hours: stretches of the week.
        time_zone: an IANA name.
        now: aware, in any zone.

    Returns:
        `now` itself within the hours, otherwise a moment in UTC.
    """
    return _first(hours, time_zone, now, within=True)


def next_closing(hours: Iterable[Stretch], time_zone: str, now: datetime) -> datetime | None:
    """Return the first moment, not before `now`, that does not fall into `hours`; None where they never end.

    Arguments and what it returns are as with `next_opening`.
    """
    return _first(hours, time_zone, now, within=False)


def first_clash(hours: Iterable[Stretch]) -> tuple[Stretch, Stretch] | None:
    """Return the first two stretches that overlap, in the week's order; None where none do. To touch is not to overlap."""
    ordered = sorted(hours)
    for place, later in enumerate(ordered):
        for earlier in ordered[:place]:
            if _minutes_apart(earlier, later) < _length(earlier) or _minutes_apart(later, earlier) < _length(later):
                return earlier, later
    return None


def _contains(stretch: Stretch, weekday: int, minute: int) -> bool:
    overnight = stretch.end_minute <= stretch.start_minute
    if stretch.weekday == weekday:
        return minute >= stretch.start_minute and (overnight or minute < stretch.end_minute)
    return overnight and (stretch.weekday + 1) % 7 == weekday and minute < stretch.end_minute


def _length(stretch: Stretch) -> int:
    return (stretch.end_minute - stretch.start_minute - 1) % DAY + 1


def _minutes_apart(one: Stretch, other: Stretch) -> int:
    """Minutes from the start of `one` to the next start of `other`: 0 for the same start."""
    return ((other.weekday - one.weekday) * DAY + other.start_minute - one.start_minute) % WEEK


def _first(hours: Iterable[Stretch], time_zone: str, now: datetime, *, within: bool) -> datetime | None:
    stretches = tuple(hours)
    if within_hours(stretches, time_zone, now) == within:
        return now
    turns = sorted({*_edges(stretches, time_zone, now), *_clock_changes(time_zone, now)})
    return next((turn for turn in turns if within_hours(stretches, time_zone, turn) == within), None)


def _edges(stretches: tuple[Stretch, ...], time_zone: str, now: datetime) -> Iterator[datetime]:
    """Yield every moment (UTC) after `now` at which the wall clock shows a stretch's start or end, on whatever day."""
    zone = zoneinfo.ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    minutes = {minute for stretch in stretches for minute in stretch[1:]}
    for days in range(LOOK_AHEAD.days + 1):
        day = today + timedelta(days=days)
        for minute in minutes:
            for fold in (0, 1):  # where the clock is put back, it shows the time twice
                wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone, fold=fold)
                moment = wall.astimezone(UTC)
                if moment > now:
                    yield moment


def _clock_changes(time_zone: str, now: datetime) -> Iterator[datetime]:
    """Yield the moments (UTC) after `now` at which the clock of `time_zone` is put forward or back."""
    zone = zoneinfo.ZoneInfo(time_zone)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    before = hour.astimezone(zone).utcoffset()
    for _ in range(LOOK_AHEAD // timedelta(hours=1)):
        after = (hour + timedelta(hours=1)).astimezone(zone).utcoffset()
        if after != before:
            minutes = (hour + timedelta(minutes=minute) for minute in range(1, 61))
            change = next(moment for moment in minutes if moment.astimezone(zone).utcoffset() != before)
            if change > now:
                yield change
        hour, before = hour + timedelta(hours=1), after
