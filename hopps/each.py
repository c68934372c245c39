"""Looking after many things, one after the other."""

import logging
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def look_after(
    rows: Iterable[T], work: Callable[[T], object], *, name: str, quiet: tuple[type[Exception], ...] = ()
) -> None:
    """Do `work` for each row; one that fails is logged, and keeps the others not waiting.

    Args:
        name: what a row is, for the log.
        quiet: failures to be expected, which are logged in one line.
    """
    for row in list(rows):
        try:
            work(row)
        except quiet as problem:
            logger.warning("%s %s is looked after later: %s", name, getattr(row, "pk", row), problem)
        except Exception:
            logger.exception("%s %s could not be looked after; the others are", name, getattr(row, "pk", row))


def shuffled(rows: Iterable[T]) -> list[T]:
    """Return the rows in any order: where time is short, no row is always the last one."""
    mixed = list(rows)
    random.shuffle(mixed)
    return mixed
