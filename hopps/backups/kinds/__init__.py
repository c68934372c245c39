"""Each kind of database in its own way: dumped as of one moment, restored beside the one in use, and put in its place."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connections

from hopps.backups.errors import BackupError
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

    def switch(self, using: str, aside: str, folder: Path) -> None:
        """Put what is in `aside`, restored from `folder`, in the place of the database `using`.

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


def name_of(using: str) -> str:
    """Return what a database is called, for people."""
    name = connections[using].settings_dict["NAME"]
    return Path(name).name if connections[using].vendor == "sqlite" else str(name)
