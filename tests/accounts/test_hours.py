"""Hours on the wall clock: when messages may come, when next, and in which words. Clock changes included."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.hours import DAY, WEEK, Stretch, first_clash, next_closing, next_opening, within_hours
from accounts.hours_words import messages_now

VIENNA = "Europe/Vienna"
ZONES = (VIENNA, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Pacific/Apia", "America/St_Johns")
# Nights in which the clock is put forward or back, each as the moment in UTC.
FORWARD = {
    VIENNA: datetime(2027, 3, 28, 1, tzinfo=UTC),
    "America/New_York": datetime(2027, 3, 14, 7, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2027, 10, 2, 15, 30, tzinfo=UTC),  # half an hour
}
BACK = {
    VIENNA: datetime(2027, 10, 31, 1, tzinfo=UTC),
    "America/New_York": datetime(2027, 11, 7, 6, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2027, 4, 3, 15, tzinfo=UTC),
}
OFFICE = tuple(Stretch(weekday, 9 * 60, 18 * 60) for weekday in range(5))
NIGHT = (Stretch(2, 22 * 60, 2 * 60),)
MORNING = (Stretch(2, 9 * 60, 10 * 60),)
ALWAYS = tuple(Stretch(weekday, 0, 0) for weekday in range(7))
MINUTE = timedelta(minutes=1)

quarters = st.integers(0, DAY // 15 - 1).map(lambda quarter: quarter * 15)
minutes = st.one_of(quarters, st.integers(0, DAY - 1))
stretches = st.builds(Stretch, st.integers(0, 6), minutes, minutes)
weeks = st.lists(stretches, max_size=6)
# Most of them within two days of a change of the clock.
changes = st.sampled_from([*FORWARD.items(), *BACK.items()])
near_changes = st.tuples(changes, st.integers(-2 * DAY, 2 * DAY)).map(
    lambda drawn: (drawn[0][0], drawn[0][1] + drawn[1] * MINUTE)
)
anywhere = st.tuples(
    st.sampled_from(ZONES),
    st.integers(0, 6 * 365 * DAY).map(lambda minute: datetime(2024, 1, 1, tzinfo=UTC) + minute * MINUTE),
)
places = st.one_of(near_changes, anywhere)


def at(zone: str, *wall: int, fold: int = 0) -> datetime:
    """The moment at which the clock of `zone` shows `wall`."""
    return datetime(*wall, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[misc,arg-type]


def naive_walk(hours: list[Stretch], zone: str, now: datetime, *, within: bool) -> datetime | None:
    """Ask every minute of the days to come."""
    if within_hours(hours, zone, now) == within:
        return now
    moment = now.replace(second=0, microsecond=0)
    for _ in range(15 * DAY):
        moment += MINUTE
        if within_hours(hours, zone, moment) == within:
            return moment
    return None


def covers(hours: list[Stretch], zone: str, moment: datetime) -> bool:
    """Whether a stretch covers the wall clock's minute of the week: laid out minute by minute, nothing clever."""
    local = moment.astimezone(zoneinfo.ZoneInfo(zone))
    covered: set[int] = set()
    for weekday, start, end in hours:
        length = end - start if end > start else end + DAY - start
        covered.update((weekday * DAY + start + minute) % WEEK for minute in range(length))
    return local.weekday() * DAY + local.hour * 60 + local.minute in covered


@given(weeks, places)
@settings(deadline=None, max_examples=150)
def test_within_hours_is_what_the_wall_clock_says(hours: list[Stretch], place: tuple[str, datetime]) -> None:
    zone, now = place
    assert within_hours(hours, zone, now) == covers(hours, zone, now)


@given(weeks, places, st.booleans())
@example([Stretch(6, 150, 165)], (VIENNA, FORWARD[VIENNA] - timedelta(hours=2)), True)  # left out: a week later
@example([Stretch(6, 150, 240)], (VIENNA, FORWARD[VIENNA] - timedelta(hours=2)), True)  # opens as the clock jumps into it
@example([Stretch(6, 135, 165)], (VIENNA, BACK[VIENNA] - timedelta(minutes=10)), True)  # its start comes twice
@example([Stretch(6, 60, 150)], (VIENNA, BACK[VIENNA] - timedelta(minutes=20)), True)  # opens again as the clock is put back
@settings(deadline=None, max_examples=80)
def test_the_next_opening_and_closing_are_those_a_walk_finds(
    hours: list[Stretch], place: tuple[str, datetime], within: bool
) -> None:
    zone, now = place
    found = next_opening(hours, zone, now) if within else next_closing(hours, zone, now)
    assert found == naive_walk(hours, zone, now, within=within)


@pytest.mark.parametrize("zone", FORWARD)
def test_the_hour_left_out_does_not_come(zone: str) -> None:
    jump = FORWARD[zone]
    landed = jump.astimezone(zoneinfo.ZoneInfo(zone))
    end = landed.hour * 60 + landed.minute
    gap = Stretch(landed.weekday(), end - 30, end)
    assert not any(within_hours([gap], zone, jump + minute * MINUTE) for minute in range(-120, 120))
    assert next_opening([gap], zone, jump - timedelta(hours=3)) == at(zone, *_wall(landed + timedelta(days=7), end - 30))


@pytest.mark.parametrize("zone", BACK)
def test_the_hour_that_comes_twice_counts_twice(zone: str) -> None:
    back = BACK[zone]
    again = back.astimezone(zoneinfo.ZoneInfo(zone))
    start = again.hour * 60 + again.minute
    twice = Stretch(again.weekday(), start, start + 30)
    open_minutes = sum(within_hours([twice], zone, back + minute * MINUTE) for minute in range(-120, 120))
    assert open_minutes == 60


def test_nine_in_the_morning_is_nine_all_year() -> None:
    for month, monday in ((1, 4), (7, 5)):
        assert within_hours(OFFICE, VIENNA, at(VIENNA, 2027, month, monday, 9, 0))
        assert not within_hours(OFFICE, VIENNA, at(VIENNA, 2027, month, monday, 8, 59))
        assert not within_hours(OFFICE, VIENNA, at(VIENNA, 2027, month, monday, 18, 0))


def test_a_quarter_of_an_hour_off_the_others_is_still_nine() -> None:
    assert next_opening(OFFICE, "Asia/Kathmandu", datetime(2027, 1, 4, 0, tzinfo=UTC)) == datetime(
        2027, 1, 4, 3, 15, tzinfo=UTC
    )


def test_a_day_of_twenty_five_hours_is_whole() -> None:
    sunday = [Stretch(6, 0, 0)]
    opened = next_opening(sunday, VIENNA, BACK[VIENNA] - timedelta(days=2))
    assert opened is not None
    closed = next_closing(sunday, VIENNA, opened)
    assert closed is not None
    assert closed - opened == timedelta(hours=25)


def _wall(day: datetime, minute: int) -> tuple[int, int, int, int, int]:
    return day.year, day.month, day.day, minute // 60, minute % 60


@given(weeks)
@settings(deadline=None)
def test_stretches_clash_where_a_minute_of_the_week_is_in_two(hours: list[Stretch]) -> None:
    seen: set[int] = set()
    clash = False
    for weekday, start, end in hours:
        length = end - start if end > start else end + DAY - start
        its = {(weekday * DAY + start + minute) % WEEK for minute in range(length)}
        clash = clash or bool(seen & its)
        seen |= its
    found = first_clash(hours)
    assert (found is not None) == clash


@pytest.mark.parametrize(
    ("hours", "now", "words"),
    [
        (OFFICE, (27, 23, 10), "Now 23:10 in Vienna: outside your hours. Messages again Monday 09:00."),
        (OFFICE, (25, 23, 10), "Now 23:10 in Vienna: outside your hours. Messages again tomorrow 09:00."),
        (OFFICE, (25, 7, 5), "Now 07:05 in Vienna: outside your hours. Messages again today 09:00."),
        (OFFICE, (25, 9, 0), "Now 09:00 in Vienna: inside your hours. Messages may come until today 18:00."),
        (NIGHT, (25, 23, 0), "Now 23:00 in Vienna: inside your hours. Messages may come until tomorrow 02:00."),
        (ALWAYS, (25, 3, 0), "Now 03:00 in Vienna: inside your hours. Messages may come at any time."),
        (NIGHT, (26, 2, 0), "Now 02:00 in Vienna: outside your hours. Messages again Wednesday 22:00."),
        (MORNING, (25, 10, 0), "Now 10:00 in Vienna: outside your hours. Messages again Wednesday 2 December, 09:00."),
        ((), (25, 10, 0), "You have no hours, so no message comes: requests reach you on your open board only."),
    ],
)
def test_the_page_says_when_messages_may_come(hours: tuple[Stretch, ...], now: tuple[int, ...], words: str) -> None:
    assert messages_now(hours, VIENNA, at(VIENNA, 2026, 11, *now)) == words
