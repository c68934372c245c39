"""`manage.py restore BACKUP`: a backup back into use; with --verify, proved and nothing touched."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.utils import timezone

from hopps.backups.errors import BackupError
from hopps.backups.kinds import name_of
from hopps.backups.manifest import Manifest
from hopps.backups.places import Folder, Place, place_at
from hopps.backups.restore import LATEST, find, held_rows, restore, verify


class Command(BaseCommand):
    help = "Restores a backup: all of it is read, restored aside and compared before anything is touched."
    # The database may be empty, or broken.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", nargs="?", help="a name from `backup --list`, the path of its file, or latest")
        parser.add_argument("--verify", action="store_true", help="only prove it, by restoring it aside; latest by default")
        parser.add_argument("--replace", action="store_true", help="also where the database has rows; it asks first")
        parser.add_argument("--yes", action="store_true", help="with --replace: do not ask")
        parser.add_argument("--no-backup", action="store_true", help="with --replace: do not back up what is replaced")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore or verify. Exit status 1 where it was not done, the backup is not good, or files of chats are lost."""
        which = options["backup"] or (LATEST if options["verify"] else "")
        if not which:
            raise CommandError("Say which backup: a name from `manage.py backup --list`, or latest.")
        began = time.monotonic()
        try:
            place, name = _place_and_name(which)
            wanted = find(place, name, settings.BACKUP_KEY)
            if options["verify"]:
                self._verify(place, wanted)
            else:
                self._restore(place, wanted, options)
        except (BackupError, DatabaseError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"Done in {time.monotonic() - began:.1f} s.")

    def _verify(self, place: Place, wanted: Manifest) -> None:
        wrong = verify(place, wanted, using=DEFAULT_DB_ALIAS, key=settings.BACKUP_KEY)
        if wrong:
            raise CommandError("\n".join([f"{wanted.name} is not good.", *wrong]))
        self.stdout.write(
            f"{wanted.name} is good: restored aside, {wanted.facts.rows} rows in {len(wanted.facts.tables)} tables and "
            f"{len(wanted.uploads)} files are as they were."
        )
        for name, amount in wanted.facts.sums.items():
            self.stdout.write(f"{name}: {amount}")
        if wanted.moving:
            self.stdout.write(f"Not compared, for they were written to meanwhile: {', '.join(wanted.moving)}.")

    def _restore(self, place: Place, wanted: Manifest, options: dict[str, Any]) -> None:
        name = name_of(DEFAULT_DB_ALIAS)
        held = held_rows(DEFAULT_DB_ALIAS)
        if options["replace"] and (held or (held is None and options["no_backup"])):
            if held:
                largest = sorted(held.items(), key=lambda item: -item[1])[:8]
                self.stdout.write(f"{name} has {sum(held.values())} rows that will be replaced by those of {wanted.name}:")
                self.stdout.write(", ".join(f"{label} {count}" for label, count in largest))
            else:
                self.stdout.write(f"{name} cannot be read, and will be replaced by {wanted.name}.")
            if not options["yes"] and _typed(f"Type {name} to go on: ") != name:
                raise CommandError("Nothing was changed. Where nobody can type, --yes says so.")
        missing = restore(
            place,
            wanted,
            using=DEFAULT_DB_ALIAS,
            key=settings.BACKUP_KEY,
            now=timezone.now(),
            say=self._say,
            replace=options["replace"],
            keep=not options["no_backup"],
        )
        self.stdout.write(f"{name} is as it was at {wanted.made_at:%Y-%m-%d %H:%M:%S} UTC: {wanted.facts.rows} rows.")
        if missing:
            raise CommandError(
                "\n".join(
                    [
                        f"The rows are restored; {len(missing)} files of chats could not be brought back:",
                        *(f"{file}: {problem}" for file, problem in missing.items()),
                    ]
                )
            )

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def _typed(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


def _place_and_name(which: str) -> tuple[Place, str]:
    """Return where a backup is and what it is called; a path says both."""
    path = Path(which)
    return (Folder(path.parent), path.name) if "/" in which else (place_at(settings.BACKUP_TO), which)
