"""Looking after many rows, one after the other."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def look_after(
    rows: Iterable[T],
    work: Callable[[T], object],
    *,
    name: str,
    quiet: tuple[type[Exception], ...] = (),
    seconds: float | None = None,
) -> None:
    """Do `work` for each of `rows`. One that fails is logged, and does not keep the others waiting.

    Args:
        rows: read in full before the first is worked on.
        work: what to do for one.
        name: what a row is, for the log, such as "Session".
        quiet: what is expected to happen, such as a processor that does not answer: a line in the log and no traceback.
        seconds: when so long has passed, the rest is left for the next time. None: all are looked after.
    """
    began = time.monotonic()
    for number, row in enumerate(list(rows)):
        if number and seconds is not None and time.monotonic() - began >= seconds:
            logger.warning("%s: not all could be looked after in %g seconds; the rest is next time", name, seconds)
            return
        which = getattr(row, "pk", row)
        try:
            work(row)
        except quiet as problem:
            logger.warning("%s %s could not be looked after; the others are: %s", name, which, problem)
        except Exception:
            logger.exception("%s %s could not be looked after; the others are", name, which)


def shuffled(rows: Iterable[T]) -> list[T]:
    """Return the rows in any order: where time is short, no row is always the last one."""
    mixed = list(rows)
    random.shuffle(mixed)
    return mixed
