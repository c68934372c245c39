"""SQLite: its online backup, which disturbs nobody and holds one moment."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from django.db import connections

from hopps.backups.errors import BackupError
from hopps.backups.kinds import Dumped, is_broken
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

    def switch(self, using: str, aside: str, folder: Path) -> str | None:
        """Write the copy over the file, in one transaction: who has it open goes on with what is there then.

        A broken file takes no transaction: it is moved aside, and its new name is returned in a sentence.
        """
        shut(aside)
        shut(using)
        if not _is_sound(_path(using)):
            return _change_places(folder / FILE, _path(using))
        _copy(folder / FILE, _path(using))
        return None

    def _opened(self, using: str, folder: Path) -> AbstractContextManager[str]:
        return opened_as(connections[using].settings_dict | {"NAME": str(folder / FILE)})


def _path(using: str) -> Path:
    return Path(connections[using].settings_dict["NAME"])


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=1)) as opened:
            return bool(opened.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as problem:
        return not is_broken(problem)


def _change_places(copy: Path, live: Path) -> str:
    # Whole and beside it before the broken one goes.
    ready, broken = (live.with_name(f"{live.name}.{what}-{int(time.time()):08x}") for what in ("restored", "broken"))
    _copy(copy, ready)
    shutil.copymode(live, ready)
    # What is not yet written into the file belongs to it, and must not be taken for the new one's.
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            live.with_name(live.name + suffix).rename(broken.with_name(broken.name + suffix))
    ready.rename(live)
    return f"{live.name} could not be read: the broken file was moved aside, and is {broken}."


def _copy(source: Path, target: Path) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS

    def on_progress(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > give_up:
            raise BackupError(f"{target.name} is being written to. Stop web and worker first.")

    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=1)) as new:
            old.backup(new, progress=on_progress)
    except sqlite3.Error as problem:
        raise BackupError(f"The database's file could not be copied: {problem}") from problem
