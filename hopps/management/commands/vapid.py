"""A key for web push."""

from typing import Any

from django.core.management.base import BaseCommand

from hopps.vapid import new_key, public_key


class Command(BaseCommand):
    help = "Print a new key pair for notifications. Set it once: browsers that subscribed with another key have to again."
    # What asks for a key has none yet.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the pair; nothing is kept here."""
        private = new_key()
        self.stdout.write(f"VAPID_PRIVATE_KEY={private}")
        self.stdout.write(f"# Its public half, which pages show by themselves: {public_key(private)}")
