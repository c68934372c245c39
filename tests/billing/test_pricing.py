"""Seconds become money."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import Price, amount_due

prices = st.builds(
    Price,
    currency=st.just("USD"),
    per_minute=st.integers(1, 100_000),
    free_seconds=st.integers(0, 3600),
    cap_minutes=st.integers(1, 240),
)
seconds = st.integers(0, 100_000)


def price(**fields: Any) -> Price:
    return Price(**{"currency": "USD", "per_minute": 200, "free_seconds": 120, "cap_minutes": 30, **fields})


@pytest.mark.parametrize(
    ("billable_seconds", "due"),
    [
        (0, 0),
        (119, 0),
        (120, 0),
        (121, 4),  # 3⅓ cents, rounded up
        (122, 7),  # 6⅔ cents: rounded once on the total, not second by second (8)
        (180, 200),
        (25 * 60, 4600),
        (32 * 60, 6000),
        (32 * 60 + 1, 6000),
        (10**9, 6000),
        (-5, 0),
    ],
)
def test_the_worked_examples(billable_seconds: int, due: int) -> None:
    assert amount_due(billable_seconds, price()) == due


@given(seconds, prices)
def test_it_is_never_negative_and_never_above_the_cap(billable_seconds: int, terms: Price) -> None:
    assert 0 <= amount_due(billable_seconds, terms) <= terms.cap_minor


@given(seconds, st.integers(0, 1000), prices)
def test_more_time_never_costs_less(billable_seconds: int, more: int, terms: Price) -> None:
    assert amount_due(billable_seconds, terms) <= amount_due(billable_seconds + more, terms)


@given(seconds, prices)
def test_it_rounds_up_once_on_the_total(billable_seconds: int, terms: Price) -> None:
    exact_sixtieths = max(0, billable_seconds - terms.free_seconds) * terms.per_minute
    due = amount_due(billable_seconds, terms)
    if due < terms.cap_minor:
        assert 0 <= due * 60 - exact_sixtieths < 60


@given(prices)
def test_the_cap_is_reached_exactly_at_the_caps_seconds(terms: Price) -> None:
    assert amount_due(terms.cap_seconds, terms) == terms.cap_minor
    assert amount_due(terms.cap_seconds - 1, terms) <= terms.cap_minor
    assert terms.free_seconds <= terms.warn_seconds < terms.cap_seconds


@given(prices)
def test_the_free_seconds_are_free(terms: Price) -> None:
    assert amount_due(terms.free_seconds, terms) == 0
