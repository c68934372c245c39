"""Which backups are kept: a rule over moments alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hopps.backups.keeping import ALL_FOR, DAYS, MONTHS, WEEKS, kept

moments = st.lists(
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    max_size=80,
)


@settings(deadline=None)
@given(moments)
def test_the_newest_is_always_kept_and_nothing_is_made_up(made: list[datetime]) -> None:
    stay = kept(made)
    assert stay <= set(made)
    assert not made or max(made) in stay


@settings(deadline=None)
@given(moments)
def test_what_was_kept_is_kept_again(made: list[datetime]) -> None:
    assert kept(kept(made)) == kept(made)


@settings(deadline=None)
@given(moments)
def test_no_more_are_kept_than_the_rule_says(made: list[datetime]) -> None:
    newest = max(made, default=datetime.min.replace(tzinfo=UTC))
    old = [moment for moment in kept(made) if moment < newest - ALL_FOR]
    assert len(old) <= DAYS + WEEKS + MONTHS


@settings(deadline=None)
@given(moments)
def test_of_each_of_the_last_days_weeks_and_months_the_last_is_kept(made: list[datetime]) -> None:
    stay = kept(made)
    for count, period in ((DAYS, "%Y-%m-%d"), (WEEKS, "%G-%V"), (MONTHS, "%Y-%m")):
        last_of = {moment.strftime(period): moment for moment in sorted(made)}
        assert {last_of[name] for name in sorted(last_of)[-count:]} <= stay


def test_a_year_of_nights_leaves_fourteen_days_eight_weeks_and_twelve_months() -> None:
    last = datetime(2026, 11, 27, 2, 23, tzinfo=UTC)
    stay = kept(last - timedelta(days=back) for back in range(500))
    days = {(last - moment).days for moment in stay}
    assert set(range(14)) <= days
    # Sundays are the last of their weeks, six of them before those days; then the last days of months.
    assert [moment.date().isoformat() for moment in sorted(stay)[:-14]] == [
        "2025-12-31",
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
        "2026-10-11",
        "2026-10-18",
        "2026-10-25",
        "2026-10-31",
        "2026-11-01",
        "2026-11-08",
    ]


def test_night_after_night_the_rule_never_lets_go_of_what_it_will_want() -> None:
    there: set[datetime] = set()
    began = datetime(2025, 1, 1, 2, 23, tzinfo=UTC)
    for night in range(500):
        there = kept(there | {began + timedelta(days=night)})
    assert there == kept(began + timedelta(days=night) for night in range(500))
