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


def test_words_that_do_not_fit_are_a_line_without_what_they_were_to_hold(
    written: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.warning("%d of 100 %%", "mine-alone")

    assert json.loads(written.getvalue())["message"].endswith("%d of 100 %%")
    assert "mine-alone" not in written.getvalue() + "".join(capsys.readouterr())
