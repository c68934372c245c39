"""`manage.py copy_database FROM TO`: all rows from one database into another, of any kind each."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hopps.rows.compare import Comparison
from hopps.rows.copy import CannotCopy, copy_rows, verify_copy
from hopps.rows.opened import CannotOpen, opened, without_password


class Command(BaseCommand):
    help = (
        "Copies all rows from one database into another, SQLite, PostgreSQL or MongoDB, and compares them row by row. "
        "Stop web and worker first: nobody may write meanwhile. Run it again after an interruption, and it goes on."
    )
    # It is about two other databases than the one of the settings.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="FROM", help="its address, such as sqlite:////srv/hopps/hopps.sqlite3")
        parser.add_argument(
            "target", metavar="TO", help="such as postgresql://hopps:password@db/hopps; migrated if it is not"
        )
        parser.add_argument("--verify", action="store_true", help="only compare, and write nothing")
        parser.add_argument("--restart", action="store_true", help="throw away an unfinished copy, and begin again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy and compare, or compare."""
        origin = without_password(options["source"])
        if options["source"] == options["target"]:
            raise CommandError("FROM and TO are the same database.")
        began = time.monotonic()
        try:
            verify = options["verify"]
            with opened(options["source"], make=False) as source, opened(options["target"], make=not verify) as target:
                if verify:
                    found = verify_copy(source, target, say=self._say)
                else:
                    self._say("Web and worker must be stopped: nobody may write to either database now.")
                    found = copy_rows(source, target, origin=origin, say=self._say, restart=options["restart"])
        except (CannotCopy, CannotOpen) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(_words(found, time.monotonic() - began))

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def _words(found: Comparison, seconds: float) -> str:
    words = f"{found.rows} rows are the same in both, compared one by one, in {seconds:.1f} s."
    if found.cut:
        words += f" In {found.cut} of them a time was cut to milliseconds, which is what MongoDB keeps."
    return words
