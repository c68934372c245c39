"""`manage.py pay_out`: the weekly payout by hand, as the Monday job makes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.models import Payout
from billing.payouts import DEMO_MONEY, demo_money_is_owed, due_payouts, pay_everybody, period_of
from hopps.money import format_money


class Command(BaseCommand):
    help = "Pays every expert what is available, once an ISO week; exits with 1 where a payout was refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="pay nothing; print what would go out")
        parser.add_argument("--again", action="store_true", help="also what was refused this week: our balance is there now")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if demo_money_is_owed():
            raise CommandError(DEMO_MONEY)
        if options["dry_run"]:
            due = list(due_payouts(now, again=options["again"]))
            for row in due:
                self._say(row.amount_minor, row.currency, row.account.owner, "would go out")
            self.stdout.write(f"{period_of(now)}: {len(due)} to pay. Nothing was paid.")
            return
        made = pay_everybody(now, again=options["again"])
        for payout in made:
            how = ": ".join(filter(None, [payout.get_state_display().lower(), payout.problem]))
            self._say(payout.amount_minor, payout.currency, payout.expert, how)
        self.stdout.write(f"{period_of(now)}: {len(made)} made.")
        failed = sum(payout.state == Payout.State.FAILED for payout in made)
        if failed:
            raise CommandError(f"{failed} refused; see above. The amounts are owed again.", returncode=1)

    def _say(self, amount_minor: int, currency: str, expert: object, how: str) -> None:
        self.stdout.write(f"{format_money(amount_minor, currency)} to {expert}: {how}")
