"""Looking after many rows, one after the other."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def look_after(
    rows: Iterable[T], work: Callable[[T], object], *, name: str, quiet: tuple[type[Exception], ...] = ()
) -> None:
    """Do `work` for each of `rows`. One that fails is logged, and does not keep the others waiting.

    Args:
        rows: read in full before the first is worked on.
        work: what to do for one.
        name: what a row is, for the log, such as "Session".
        quiet: what is expected to happen, such as a processor that does not answer: a line in the log and no traceback.
    """
    for row in list(rows):
        which = getattr(row, "pk", row)
        try:
            work(row)
        except quiet as problem:
            logger.warning("%s %s could not be looked after; the others are: %s", name, which, problem)
        except Exception:
            logger.exception("%s %s could not be looked after; the others are", name, which)
