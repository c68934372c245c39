"""The templates' filters."""

from pytest_django.fixtures import Settings

from hopps.templatetags.hopps import clock, fit_window, minus, spoken


def test_minus_never_goes_below_zero() -> None:
    assert (minus(1036, 120), minus(80, 120)) == (916, 0)


def test_a_clock_shows_hours_only_from_an_hour_on() -> None:
    assert [clock(5), clock(754), clock(3723)] == ["0:05", "12:34", "1:02:03"]


def test_spoken_time_leaves_out_what_is_zero() -> None:
    assert [spoken(0), spoken(40), spoken(120), spoken(3661)] == ["0 s", "40 s", "2 min", "1 h 1 min 1 s"]


def test_pages_promise_the_free_minutes_that_are_set(settings: Settings) -> None:
    settings.FIT_WINDOW_SECONDS = 180
    assert fit_window() == "3 min"
    settings.FIT_WINDOW_SECONDS = 0
    assert fit_window() == ""
