"""`manage.py export_rows`: every row as a line of text, the same bytes whatever the database."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from hopps.rows.facts import export_rows


class Command(BaseCommand):
    help = "Writes every row as a line of text, in one order: two databases with the same rows give the same bytes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to; without one, standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        if options["file"] is None:
            export_rows(DEFAULT_DB_ALIAS, sys.stdout.buffer)
            return
        # People's data: for nobody else on this machine.
        options["file"].touch(mode=0o600)
        with options["file"].open("wb") as out:
            count = export_rows(DEFAULT_DB_ALIAS, out)
        self.stderr.write(f"{count} rows")
