"""Money as people read and write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopps.money import exponent, format_money, parse_money

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CHF")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "USD", "$0.00"),
        (5, "USD", "$0.05"),
        (1250, "USD", "$12.50"),
        (123456789, "EUR", "€1,234,567.89"),
        (-1250, "USD", "−$12.50"),
        (1250, "JPY", "¥1,250"),
        (1250, "KWD", "1.250 KWD"),
        (1250, "CHF", "12.50 CHF"),
    ],
)
def test_it_is_written_as_people_write_it(minor: int, currency: str, text: str) -> None:
    assert format_money(minor, currency) == text


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "USD", 1250),
        ("12.5", "USD", 1250),
        ("12", "USD", 1200),
        (".5", "USD", 50),
        (" $1,250.00 ", "USD", 125000),
        ("1250", "JPY", 1250),
        ("1.250", "KWD", 1250),
    ],
)
def test_what_a_person_types_is_read(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == minor


NO_AMOUNTS = [
    "",
    " ",
    "$",
    ".",
    "abc",
    "1.2.3",
    "12.505",
    "-5",
    "+5",
    "1e3",
    "٣",
    "12,50",
    "1,2500",
    "1 2",
    "NaN",
    "²",
    "$$5",
]


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_is_no_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"\$12\.50"):
        parse_money(text, "USD")


def test_yen_have_no_decimals() -> None:
    with pytest.raises(ValueError, match="Write the amount"):
        parse_money("12.5", "JPY")


@given(minor=st.integers(min_value=0, max_value=10**12), currency=st.sampled_from(CURRENCIES))
def test_what_is_written_reads_back_the_same(minor: int, currency: str) -> None:
    written = format_money(minor, currency).replace(f" {currency}", "")

    assert parse_money(written, currency) == minor
    assert exponent(currency) == len(written.partition(".")[2])
