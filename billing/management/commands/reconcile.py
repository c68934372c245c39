"""`manage.py reconcile`: our books against the gateway's."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.management.base import CommandError

from billing.gateways.base import GatewayError
from billing.reconcile import DAYS, Difference, reconcile
from billing.reconcile.command import ReconcileCommand


class Command(ReconcileCommand):
    days = DAYS
    # Ten years: further back there is nothing to compare.
    most_days = 3650
    help = (
        "Compares the holds, charges, refunds, disputes and payouts of the last days, and of any age open disputes, pending "
        "refunds and payout accounts, with the payment gateway's books, prints what differs, and repairs what is safe. "
        "Exit status: 0 when all agreed, 1 when something differed (repaired or "
        "not; run it again to see what is left), 2 when the gateway did not answer."
    )

    def compare(self, *, since: datetime, now: datetime, repair: bool) -> Sequence[Difference]:
        try:
            return reconcile(gateway_name=settings.PAYMENTS, since=since, now=now, repair=repair)
        except GatewayError as problem:
            raise CommandError(f"The books could not be read: {problem.in_full}", returncode=2) from problem
