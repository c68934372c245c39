"""Reading the environment."""

from pathlib import Path

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


def test_a_secret_is_taken_from_its_file_without_the_lines_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(" kept as it is \r\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))

    assert env.secret(name, "else") == " kept as it is "


def test_a_secret_without_a_file_is_the_setting_or_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{name}_FILE", "")
    assert env.secret(name, "else") == "else"

    monkeypatch.setenv(name, "one, two")
    assert env.secret(name, "else") == "one, two"
    assert env.secrets(name) == ["one", "two"]


def test_a_secret_that_is_set_twice_is_refused_and_not_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "mine-alone")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))

    with pytest.raises(ImproperlyConfigured, match="Both HOPPS_TEST and HOPPS_TEST_FILE are set") as refused:
        env.secret(name)
    assert "mine-alone" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe", "cannot be read: it is not text"),
    ],
)
def test_a_file_without_a_secret_in_it_is_refused_by_name(
    name: str, content: bytes | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(f"{name}_FILE", str(path))

    with pytest.raises(ImproperlyConfigured, match=f"HOPPS_TEST_FILE names '{path}', which {why}"):
        env.secret(name)
