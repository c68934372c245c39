"""Faults a test orders: for the next requests that match, an error, or no answer at all."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.peers.stripe_front.books import JSON

Kind = Literal["answer", "drop_before", "drop_after", "hang"]
KINDS: tuple[Kind, ...] = ("answer", "drop_before", "drop_after", "hang")


@dataclass
class Fault:
    """What goes wrong, for whom, how often."""

    kind: Kind
    """`answer`: an error and nothing done. `drop_before`, `drop_after`: the connection is cut before or after the work.
    `hang`: the work starts when the test says `release`, at the latest after `seconds`."""
    method: str
    path: re.Pattern[str]
    times: int
    status: int = 500
    error: JSON | None = None
    kept: bool = False
    """Whether an `answer` is kept under the idempotency key, as Stripe does once the work began."""
    seconds: float = 5.0


class Faults:
    """The faults not yet used up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []
        self.released = threading.Event()
        self.stopped = False

    def order(self, fault: Fault) -> None:
        """Add a fault. Those ordered first strike first."""
        with self._lock:
            self._ordered.append(fault)
            self.released.clear()

    def take(self, method: str, path: str, kinds: Sequence[Kind] = KINDS) -> Fault | None:
        """Return the fault, one of these kinds, that strikes this request, and count it."""
        with self._lock:
            for fault in self._ordered:
                if fault.kind in kinds and fault.method == method and fault.path.fullmatch(path):
                    fault.times -= 1
                    if fault.times == 0:
                        self._ordered.remove(fault)
                    return fault
        return None

    def stop(self) -> None:
        """Release what hangs, to be cut: the test it belonged to is over."""
        self.stopped = True
        self.released.set()
