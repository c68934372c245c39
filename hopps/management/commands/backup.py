"""`manage.py backup`: the database and the files of chats, into BACKUP_TO."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.keeping import DAYS, MONTHS, WEEKS
from hopps.backups.make import back_up
from hopps.backups.nightly import tonights_backup
from hopps.backups.places import Place, place_at
from hopps.backups.prune import prune
from hopps.backups.sealing import new_key


class Command(BaseCommand):
    help = "Backs up the database and the files of chats into BACKUP_TO, compressed and encrypted with BACKUP_KEY."
    # The old release's database is backed up before the new release's checks would like it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="only say which backups there are")
        what.add_argument(
            "--prune",
            action="store_true",
            help=f"only delete what the rule lets go: kept are {DAYS} days, {WEEKS} weeks, {MONTHS} months",
        )
        what.add_argument("--nightly", action="store_true", help="make one unless there is one of tonight, then prune")
        what.add_argument("--new-key", action="store_true", help="only print a new BACKUP_KEY")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of them."""
        if options["new_key"]:
            self.stdout.write(f"BACKUP_KEY={new_key()}")
            self.stdout.write("# Keep it somewhere else than the backups, and than this server: without it they are noise.")
            return
        try:
            place = place_at(settings.BACKUP_TO)
            if options["list"]:
                self._list(place)
            elif options["prune"]:
                gone = prune(place, key=settings.BACKUP_KEY, now=timezone.now())
                self.stdout.write("\n".join([*(f"{name} is deleted." for name in gone), f"{len(gone)} backups went."]))
            else:
                self._make(place, nightly=options["nightly"])
        except BackupError as problem:
            raise CommandError(str(problem)) from problem

    def _make(self, place: Place, *, nightly: bool) -> None:
        began = time.monotonic()
        make = tonights_backup if nightly else back_up
        made = make(place, using=DEFAULT_DB_ALIAS, key=settings.BACKUP_KEY, now=timezone.now())
        if made is None:
            self.stdout.write("There is one of tonight.")
            return
        self.stdout.write(
            f"{made.name}: {made.facts.rows} rows of {made.database}, {made.archive.size} bytes, {len(made.uploads)} files, "
            f"in {place.address}, made in {time.monotonic() - began:.1f} s."
        )
        if made.moving:
            self.stdout.write(f"Written to meanwhile, and not of one moment: {', '.join(made.moving)}.")

    def _list(self, place: Place) -> None:
        for name in manifest.names_in(place):
            try:
                found = manifest.read(place, name, settings.BACKUP_KEY)
            except BackupError as problem:
                self.stdout.write(str(problem))
                continue
            self.stdout.write(
                f"{name}  {found.made_at:%Y-%m-%d %H:%M} UTC  {found.database}  {found.facts.rows} rows  "
                f"{found.archive.size} bytes  {len(found.uploads)} files  release {found.release}"
            )
