"""The frame of the commands that compare our books with somebody else's."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.reconcile.run import Difference


class ReconcileCommand(BaseCommand):
    """Prints what differs. Exit status: 0 when all agreed, 1 when something differed, 2 when there was no answer."""

    days: ClassVar[int]
    """How far back to look where nobody says."""
    most_days: ClassVar[int]
    """Further back there is nothing to compare."""

    def compare(self, *, since: datetime, now: datetime, repair: bool) -> Sequence[Difference]:
        """Return what differs since `since` (UTC). Raises CommandError with return code 2 where there is no answer."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=self.days, help=f"how far back to look (default {self.days})")
        parser.add_argument("--dry-run", action="store_true", help="only look: write nothing, here or there")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= self.most_days:
            raise CommandError(f"--days must be from 1 to {self.most_days}.")
        now = timezone.now()
        found = self.compare(since=now - timedelta(days=options["days"]), now=now, repair=not options["dry_run"])
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            left = sum(not difference.repaired for difference in found)
            self.stdout.write(f"{len(found)} differences, {left} of them for a person to look at.")
            sys.exit(1)
        self.stdout.write("All agree.")
