"""`python -m tests.hopps.copy_killer FROM TO WRITES`: copies, killed after so many writes, again and again until it ends.

Prints how often it was killed.
"""

import os
import signal
import sys
from typing import Any

import django
import pymongo.monitoring
from django.db import connections

# So that tables take more than one batch.
BATCH = 5


class Killer(pymongo.monitoring.CommandListener):
    """Counts writes of whichever kind, and kills this process at one of them: before it is done, or after, by turns."""

    def __init__(self, writes: int, *, before: bool) -> None:
        self._left = writes
        self._before = before

    def around(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Count a statement of SQLite's or PostgreSQL's."""
        writes = sql.startswith(("INSERT", "UPDATE"))
        if writes and self._before:
            self._count()
        result = execute(sql, params, many, context)
        if writes and not self._before:
            self._count()
        return result

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        """Count a command of MongoDB's."""
        if self._before and event.command_name in {"insert", "update"}:
            self._count()

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        """Count a command that was done."""
        if not self._before and event.command_name in {"insert", "update"}:
            self._count()

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        """It shows in the copy's outcome."""

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def attempt(source_url: str, target_url: str, killer: Killer) -> None:
    """Copy, or die."""
    from hopps.rows.copy import copy_rows
    from hopps.rows.opened import opened

    pymongo.monitoring.register(killer)
    with opened(source_url) as source, opened(target_url) as target:
        if connections[target].vendor != "mongodb":
            connections[target].execute_wrappers.append(killer.around)
        copy_rows(source, target, origin="the site", say=lambda words: None)


def main() -> None:
    """Fork until one attempt lives."""
    from hopps.rows import models

    models.BATCH = BATCH
    source, target, writes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    killed = 0
    while True:
        child = os.fork()
        if not child:
            try:
                # One write later each time: between any two of those that belong together.
                attempt(source, target, Killer(writes + killed, before=bool(killed % 2)))
            except BaseException as problem:
                print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(killed)
            sys.exit(os.WEXITSTATUS(status))
        killed += 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
    django.setup()
    main()
