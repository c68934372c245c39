"""Reading the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from hopps import env


@pytest.fixture(autouse=True)
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("HOPPS_TEST", raising=False)
    return "HOPPS_TEST"


def test_unset_and_empty_mean_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        if value is not None:
            monkeypatch.setenv(name, value)
        assert env.text(name, "else") == "else"
        assert env.number(name, 7) == 7
        assert env.flag(name, default=True) is True
        assert env.words(name, "a, b") == ["a", "b"]


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("FALSE", False)])
def test_a_flag_is_read_as_people_write_it(name: str, value: str, meant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    assert env.flag(name, default=not meant) is meant


def test_a_flag_that_is_neither_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "perhaps")

    with pytest.raises(ImproperlyConfigured, match="HOPPS_TEST must be 1 or 0, not 'perhaps'"):
        env.flag(name)


def test_a_number_that_is_none_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "ten")

    with pytest.raises(ImproperlyConfigured, match="HOPPS_TEST must be a whole number, not 'ten'"):
        env.number(name, 1)


def test_words_are_split_at_commas(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, " a ,, b,")

    assert env.words(name) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "least", "most", "sentence"),
    [
        ("-1", 0, 100, "HOPPS_TEST must be a whole number from 0 to 100, not '-1'"),
        ("101", 0, 100, "HOPPS_TEST must be a whole number from 0 to 100, not '101'"),
        ("-1", 0, None, "HOPPS_TEST must be a whole number of at least 0, not '-1'"),
    ],
)
def test_a_number_out_of_bounds_is_refused_by_name(
    name: str, value: str, least: int, most: int | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=sentence):
        env.number(name, 1, least=least, most=most)


def test_the_bounds_themselves_are_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (0, 100):
        monkeypatch.setenv(name, str(value))
        assert env.number(name, 1, least=0, most=100) == value
