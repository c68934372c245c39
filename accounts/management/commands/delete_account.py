"""manage.py delete_account: for somebody who asked for it by mail, or went after the backup that was restored."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from accounts import erasing
from accounts.models import User
from hopps.errors import Refused


class Command(BaseCommand):
    """Deletes an account as its person would on the settings page."""

    help = "Delete an account for good, by its id or mail address. Refused while something must be settled first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="the person's id, as the log has it, or their mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _find(options["who"])
        if user is None:
            raise CommandError(f"There is no account {options['who']}.")
        try:
            erasing.erase(user=user)
        except Refused as refusal:
            raise CommandError(refusal.sentence) from None
        erasing.finish(User.objects.get(pk=user.pk))
        self.stdout.write(f"Account {user.pk} is deleted.")


def _find(who: str) -> User | None:
    wanted = Q(email=who.strip().lower())
    with suppress(ValueError):
        wanted |= Q(pk=UUID(who))
    return User.objects.filter(wanted).first()
