"""Hours as people say them."""

import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.hours import DAY, Stretch, next_closing, next_opening

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def stretch_words(stretch: Stretch) -> str:
    """Return a stretch such as "Monday 09:00–18:00" or "Friday 22:00–02:00"."""
    return f"{WEEKDAYS[stretch.weekday]} {clock_words(stretch.start_minute)}–{clock_words(stretch.end_minute)}"


def clock_words(minute: int) -> str:
    """Return a minute of the day as the clock shows it: 545 is "09:05"."""
    hours, minutes = divmod(minute % DAY, 60)
    return f"{hours:02d}:{minutes:02d}"


def city(time_zone: str) -> str:
    """Return where a time zone is: "Buenos Aires" for "America/Argentina/Buenos_Aires"."""
    return time_zone.rsplit("/", 1)[-1].replace("_", " ")


def messages_now(hours: Iterable[Stretch], time_zone: str, now: datetime) -> str:
    """Say whether messages may come at `now`, and until when, or when next.

    Args:
        hours: stretches of the week.
        time_zone: an IANA name.
        now: aware, in any zone.

    Returns:
        Such as "Now 23:10 in Vienna: outside your hours. Messages again Monday 09:00."
    """
    stretches = tuple(hours)
    if not stretches:
        return "You have no hours, so no message comes: requests reach you on your open board only."
    local = now.astimezone(zoneinfo.ZoneInfo(time_zone))
    begin = f"Now {clock_words(local.hour * 60 + local.minute)} in {city(time_zone)}:"
    opening = next_opening(stretches, time_zone, now)
    if opening == now:
        closing = next_closing(stretches, time_zone, now)
        until = f"until {_when(closing, local)}" if closing is not None else "at any time"
        return f"{begin} inside your hours. Messages may come {until}."
    again = f"again {_when(opening, local)}" if opening is not None else "not in the next two weeks"
    return f"{begin} outside your hours. Messages {again}."


def _when(moment: datetime, local: datetime) -> str:
    there = moment.astimezone(local.tzinfo)
    clock = clock_words(there.hour * 60 + there.minute)
    days = (there.date() - local.date()) // timedelta(days=1)
    if days == 0:
        return f"today {clock}"
    if days == 1:
        return f"tomorrow {clock}"
    day = WEEKDAYS[there.weekday()]
    return f"{day} {clock}" if days < 7 else f"{day} {there.day} {there:%B}, {clock}"
