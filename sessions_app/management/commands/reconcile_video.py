"""`manage.py reconcile_video`: our calls against the video service's list of who was in them."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sessions_app.video.reconcile import DAYS, reconcile
from sessions_app.video.service import VideoUnavailable

# A year: the service keeps its lists no longer.
MOST_DAYS = 365


class Command(BaseCommand):
    help = (
        "Compares the calls of the last days that went through Twilio rooms with Twilio's list of who was in them, prints "
        "what differs, and repairs what is safe: rooms nobody needs are ended, what lost callbacks would have told is "
        "written down. No bill is changed. Exit status: 0 when all agreed, 1 when something differed (repaired or not; run "
        "it again to see what is left), 2 when Twilio did not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help=f"how far back to look (default {DAYS})")
        parser.add_argument("--dry-run", action="store_true", help="only look: write nothing, here or there")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        now = timezone.now()
        try:
            found = reconcile(since=now - timedelta(days=options["days"]), now=now, repair=not options["dry_run"])
        except VideoUnavailable as problem:
            raise CommandError(f"The calls could not be compared: {problem}", returncode=2) from problem
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            left = sum(not difference.repaired for difference in found)
            self.stdout.write(f"{len(found)} differences, {left} of them for a person to look at.")
            sys.exit(1)
        self.stdout.write("All agree.")
