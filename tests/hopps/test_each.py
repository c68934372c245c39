"""One row that fails does not keep the others waiting."""

import logging

import pytest

from hopps.each import look_after


def test_a_row_that_fails_is_logged_and_the_others_are_looked_after(caplog: pytest.LogCaptureFixture) -> None:
    done: list[float] = []
    look_after([1, 0, 2], lambda number: done.append(1 / number), name="Number")
    assert done == [1, 0.5]
    (line,) = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.ERROR, "Number 0 could not be looked after; the others are")
    assert line.exc_info


def test_what_is_expected_to_happen_is_one_line_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    done: list[float] = []
    look_after([0, 2], lambda number: done.append(1 / number), name="Number", quiet=(ArithmeticError,))
    assert done == [0.5]
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert "Number 0 could not be looked after; the others are: division by zero" in line.getMessage()
    assert not line.exc_info


def test_rows_that_the_work_itself_changes_are_read_before() -> None:
    rows = [1, 2, 3]
    look_after(rows, rows.remove, name="Number")
    assert rows == []


def test_when_the_time_is_over_the_rest_waits(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    look_after([1, 2, 3], done.append, name="Number", seconds=0)
    assert done == [1]
    assert "the rest is next time" in caplog.text
