"""How the minute's sweep goes through what a crash, or a gateway that did not answer, left unfinished."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from billing.gateways.base import GatewayError
from hopps.each import look_after, shuffled

# For rows of one kind: a gateway that hangs keeps everything else waiting.
SECONDS = 20.0

T = TypeVar("T")


def heal_each(rows: Iterable[T], work: Callable[[T], object], *, name: str) -> None:
    """Do `work` for as many rows as there is time for, in any order: what is left comes next minute.

    Args:
        name: what a row is, for the log.
    """
    look_after(shuffled(rows), work, name=name, quiet=(GatewayError,), seconds=SECONDS)
