"""`manage.py reconcile`: our books against the gateway's."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.gateways.base import GatewayError
from billing.reconcile import DAYS, reconcile

# Ten years: further back there is nothing to compare.
MOST_DAYS = 3650


class Command(BaseCommand):
    help = (
        "Compares the holds, charges, refunds, disputes and payouts of the last days, and of any age open disputes, pending "
        "refunds and payout accounts, with the payment gateway's books, prints what differs, and repairs what is safe. "
        "Exit status: 0 when all agreed, 1 when something differed (repaired or "
        "not; run it again to see what is left), 2 when the gateway did not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help=f"how far back to look (default {DAYS})")
        parser.add_argument("--dry-run", action="store_true", help="only look: write nothing, here or there")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        now = timezone.now()
        try:
            found = reconcile(
                gateway_name=settings.PAYMENTS,
                since=now - timedelta(days=options["days"]),
                now=now,
                repair=not options["dry_run"],
            )
        except GatewayError as problem:
            raise CommandError(f"The books could not be read: {problem.in_full}", returncode=2) from problem
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            left = sum(not difference.repaired for difference in found)
            self.stdout.write(f"{len(found)} differences, {left} of them for a person to look at.")
            sys.exit(1)
        self.stdout.write("All agree.")
