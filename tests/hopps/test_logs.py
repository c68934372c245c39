"""What a line of the log says, and what it never says."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from hopps import logs

logger = logging.getLogger("tests.logs")


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What goes to the log as JSON lines."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLine())
    handler.addFilter(logs.Known())
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no account for cleo.demo+1@mail.example.org here", "no account for (mail address) here"),
        ("Key (email)=(cleo@example.org) already exists.", "Key (email)=((mail address)) already exists."),
        ("Text to +41791234567: taken", "Text to (phone number): taken"),
        ("GET /numbers/%2B41791234567/", "GET /numbers/(phone number)/"),
        ("cannot reach postgresql://hopps:s3cret@db:5432/hopps", "cannot reach postgresql://(secret)@db:5432/hopps"),
        ("cannot reach redis://:s3cret@redis:6379/0", "cannot reach redis://(secret)@redis:6379/0"),
        ("Authorization: Bearer abc.def-123456", "Authorization: (secret) (secret)"),
        ("asked with bearer abc.def-123456", "asked with bearer (secret)"),
        ('{"password": "correct-horse-1"}', '{"password": "(secret)"}'),
        ("No such key: sk_live_4eC39HqLyjWDarjtT1zdp7dc", "No such key: sk_(secret)"),
        ("pi_3abc_secret_9XyZabcdef failed", "pi_3abc_secret_(secret) failed"),
        ("BACKUP_KEY AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S is no key", "BACKUP_KEY (secret) is no key"),
        ("grant eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi.c2lnbmF0dXJl refused", "grant (secret) refused"),
        ("Error: /accounts/password/reset/key/2-cx1abc-99ff/", "Error: /accounts/password/reset/key/(secret)/"),
    ],
)
def test_it_says_nothing_that_is_not_for_everybody(said: str, kept: str) -> None:
    assert logs.without_secrets(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "Session 3f0c7d1e-8a52-4f62-9a4e-1d2c3b4a5f60 could not be looked after; the others are: timed out",
        "At 2026-11-27T07:53:37.225Z: 1234567890 bytes, +12 %",
        "The channel layer is out of reach; trying again",
    ],
)
def test_it_says_everything_else(said: str) -> None:
    assert logs.without_secrets(said) == said


def test_a_line_is_one_json_object_with_what_is_known(written: StringIO) -> None:
    with logs.about(request="0123456789"):
        logs.note(session="of-alice")
        logger.warning("It is %s", "late\nand dark")
    logger.warning("Nobody's")

    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["message"] == "It is late\nand dark"
    assert (first["level"], first["logger"]) == ("WARNING", "tests.logs")
    assert (first["request"], first["session"]) == ("0123456789", "of-alice")
    assert first["time"].endswith("Z")
    assert "request" not in second


def test_a_traceback_is_on_the_same_line_without_what_is_secret(written: StringIO) -> None:
    try:
        raise ValueError("cleo@example.org is taken")
    except ValueError:
        logger.exception("That failed")

    line = json.loads(written.getvalue())
    assert "ValueError: (mail address) is taken" in line["exception"]
    assert "cleo" not in line["exception"].split("ValueError: ")[1]


def test_a_line_for_a_person_is_safe_too() -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "to %s", ("cleo@example.org",), None)
    assert logs.SafeLine("%(message)s").format(record) == "to (mail address)"


def test_what_is_known_of_one_is_not_known_of_the_next() -> None:
    with logs.about(request="outer-one"):
        with logs.about(request="inner-one", job="a"):
            logs.note(session="of-alice")
        assert logs.known() == {"request": "outer-one"}
    logs.note(person="nobody")
    assert logs.known() == {}
