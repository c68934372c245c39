"""Asking something that may hang, such as a database that is gone, and waiting only so long."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Generic, TypeVar

T = TypeVar("T")


class DidNotAnswer(Exception):
    """No answer came in the time allowed; whoever was asked may still be at it."""


class Bounded(Generic[T]):
    """A question asked in a thread of its own. Who asks while it is still open waits for the same answer: one that hangs
    holds one thread, however often it is asked."""

    def __init__(self, name: str, ask: Callable[[], T]) -> None:
        self._name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._open: Future[T] | None = None

    def answer(self, seconds: float) -> T:
        """Return the answer. Raises DidNotAnswer after `seconds`, and what the question itself raised."""
        asked = self.begin()
        if not wait_for([asked], timeout=seconds).done:
            raise DidNotAnswer(self._name)
        return asked.result()

    def begin(self) -> Future[T]:
        """Ask, where it is not being asked already; return what the answer will be found in."""
        with self._lock:
            if self._open is None or self._open.done():
                self._open = self._asked()
            return self._open

    def _asked(self) -> Future[T]:
        asked: Future[T] = Future()

        def run() -> None:
            try:
                asked.set_result(self._ask())
            except BaseException as problem:
                asked.set_exception(problem)

        # The lines it logs are about nobody's request: the answer is for all who ask.
        context = contextvars.Context()
        # A daemon: what hangs must not keep the process from ending.
        threading.Thread(target=context.run, args=(run,), name=self._name, daemon=True).start()
        return asked
