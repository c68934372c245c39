"""SQLite: its online backup, which disturbs nobody and holds one moment."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from django.db import connections

from hopps.backups.errors import BackupError
from hopps.backups.kinds import Dumped
from hopps.rows.facts import facts_of
from hopps.rows.opened import opened_as, shut

FILE = "hopps.sqlite3"
# So long a restore waits for whoever else is writing, in seconds.
PATIENCE_SECONDS = 20


class Sqlite:
    """A file."""

    def dump(self, using: str, folder: Path) -> Dumped:
        """Copy the file as of one moment."""
        _copy(_path(using), folder / FILE)
        with self._opened(using, folder) as copy:
            return Dumped(facts_of(copy))

    @contextmanager
    def aside(self, using: str, folder: Path) -> Iterator[str]:
        """Open the copy where it lies."""
        with self._opened(using, folder) as copy:
            with connections[copy].cursor() as cursor:
                cursor.execute("PRAGMA integrity_check")
                found = cursor.fetchone()[0]
            if found != "ok":
                raise BackupError(f"The database in this backup is damaged: {found}")
            yield copy

    def switch(self, using: str, aside: str, folder: Path) -> None:
        """Write the copy over the file, in one transaction: who has it open goes on with what is there then."""
        shut(aside)
        shut(using)
        _copy(folder / FILE, _path(using))

    def _opened(self, using: str, folder: Path) -> AbstractContextManager[str]:
        return opened_as(connections[using].settings_dict | {"NAME": str(folder / FILE)})


def _path(using: str) -> Path:
    return Path(connections[using].settings_dict["NAME"])


def _copy(source: Path, target: Path) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS

    def on_progress(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > give_up:
            raise BackupError(f"{target.name} is being written to. Stop web and worker first.")

    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=1)) as new:
        old.backup(new, progress=on_progress)
