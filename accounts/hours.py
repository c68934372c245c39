"""The hours in which an expert may be reached by message: pure arithmetic on the expert's own wall clock."""

import zoneinfo
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

DAY = 24 * 60


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


def _contains(stretch: Stretch, weekday: int, minute: int) -> bool:
    overnight = stretch.end_minute <= stretch.start_minute
    if stretch.weekday == weekday:
        return minute >= stretch.start_minute and (overnight or minute < stretch.end_minute)
    return overnight and (stretch.weekday + 1) % 7 == weekday and minute < stretch.end_minute
