"""Processes that die on purpose, at a point that was counted beforehand."""

import json
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NoReturn

from django.db import connection

from tests.databases import close_all
from tests.writes import watched_writes

Tell = Callable[..., None]
Told = list[dict[str, Any]]


class Points:
    """Every point at which a process may die: at the start, and after each request it makes and each write to the database.

    Just before the next one is the same point, as nothing that survives has changed; except after a write in a transaction,
    which survives only once that is committed.
    """

    def __init__(self, tell: Tell, *, kill: int | None) -> None:
        self.tell, self.kill = tell, kill
        self.count = 0
        self.commits = False
        # Until this process ends.
        self._watching = ExitStack()

    def reach(self, name: str) -> None:
        """Count a point, and die where it is the one."""
        self.count += 1
        self.tell(point=name)
        if self.count == self.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Watch the database's connection from here on."""
        self._watching.enter_context(watched_writes(before=self._before_write, after=self._after_write))
        self.reach("start")

    def around(self, name: str, ask: Callable[[], Any]) -> Any:
        """Make a request that is called `name`, and count the points around it."""
        self._reach_if_committed(f"before {name}")
        answer = ask()
        self.reach(f"after {name}")
        return answer

    def _reach_if_committed(self, name: str) -> None:
        """Count a point where the last write was in a transaction that is committed by now."""
        if self.commits and not connection.in_atomic_block:
            self.commits = False
            self.reach(name)

    def _before_write(self, write: str, table: str) -> None:
        self._reach_if_committed(f"before {write} {table}")

    def _after_write(self, write: str, table: str) -> None:
        # Where a transaction holds nothing back, what is written survives at once.
        self.commits = connection.in_atomic_block and connection.features.supports_transactions
        self.reach(f"after {write} {table}")


def fork(work: Callable[[Tell], None]) -> tuple[Told, bool]:
    """Do `work` in a new process; return what it told, a line each, and whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _live(work, writing)
    os.close(writing)
    with os.fdopen(reading) as lines:
        told = [json.loads(line) for line in lines]
    _, status = os.waitpid(child, 0)
    return told, os.WIFSIGNALED(status)


def _live(work: Callable[[Tell], None], writing: int) -> NoReturn:
    """Do `work` and end, without anything the parent would do at its own end."""

    def tell(**what: Any) -> None:
        os.write(writing, json.dumps(what).encode() + b"\n")

    try:
        work(tell)
        close_all()
    except BaseException:
        tell(problem=traceback.format_exc())
    os._exit(0)


def problem_of(told: Told) -> str:
    """Return what went wrong in a process, or nothing."""
    return "\n".join(line["problem"] for line in told if "problem" in line)
