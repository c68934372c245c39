"""Each kind of database in its own way: dumped as of one moment, restored beside the one in use, and put in its place."""

import re
import secrets
import sqlite3
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connections

from hopps.backups.errors import BackupError
from hopps.backups.places import LEFT_BEHIND
from hopps.rows.facts import Facts


@dataclass(frozen=True)
class Dumped:
    """What was dumped. `moving`: tables that were written to meanwhile, where there was no holding still."""

    facts: Facts
    moving: tuple[str, ...] = ()


class Kind(Protocol):
    """What a kind of database can do."""

    def dump(self, using: str, folder: Path) -> Dumped:
        """Write the database into files in `folder`, and say what is in them. Raises BackupError."""

    def aside(self, using: str, folder: Path) -> AbstractContextManager[str]:
        """Restore the files of `dump` into another database of the same server, there until the block ends; give its name.

        Raises BackupError.
        """

    def switch(self, using: str, aside: str, folder: Path) -> str | None:
        """Put what is in `aside`, restored from `folder`, in the place of the database `using`.

        Return in words what operators should know of it, if anything.

        Raises BackupError where others are still at work on it.
        """


def kind_of(using: str) -> Kind:
    """Return the kind a database is of. Raises BackupError for one we know not how to back up."""
    # Late: each stands on a driver of its own.
    match connections[using].vendor:
        case "sqlite":
            from hopps.backups.kinds.sqlite import Sqlite

            return Sqlite()
        case "postgresql":
            from hopps.backups.kinds.postgresql import Postgresql

            return Postgresql()
        case "mongodb":
            from hopps.backups.kinds.mongodb import Mongodb

            return Mongodb()
        case vendor:
            raise BackupError(f"Backups of {vendor} are not made.")


def is_broken(problem: BaseException) -> bool:
    """Return whether a database's file is damaged, or none: what SQLite says of it. Servers do not say it so."""
    cause = problem if isinstance(problem, sqlite3.Error) else problem.__cause__
    name = getattr(cause, "sqlite_errorname", None) or ""
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def name_aside(live: str) -> str:
    """Return a name for a database that is restored beside `live`; it says when, so that what is left behind is known."""
    return f"{live}_restored_{int(time.time()):08x}{secrets.token_hex(2)}"


def left_behind(live: str, names: Iterable[str]) -> list[str]:
    """Return which of the databases called `names` were restored beside `live` by processes that died in it."""
    until = time.time() - LEFT_BEHIND.total_seconds()
    ours = re.compile(rf"{re.escape(live)}_restored_([0-9a-f]{{8}})[0-9a-f]{{4}}")
    return [name for name in names if (found := ours.fullmatch(name)) and int(found[1], 16) < until]


def name_of(using: str) -> str:
    """Return what a database is called, for people."""
    name = connections[using].settings_dict["NAME"]
    return Path(name).name if connections[using].vendor == "sqlite" else str(name)
