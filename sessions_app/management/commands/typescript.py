"""`manage.py typescript`: the page's types, written from the events of the sockets."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hopps.realtime.declarations import declarations
from sessions_app import events


class Command(BaseCommand):
    help = "Writes static/js/events.d.ts from sessions_app/events.py."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "static" / "js" / "events.d.ts"
        wanted = declarations(
            {
                "BoardEvent": events.BoardEvent,
                "BoardMessage": events.BoardMessage,
                "SessionEvent": events.SessionEvent,
                "SessionMessage": events.SessionMessage,
            }
        )
        if path.exists() and path.read_text() == wanted:
            return
        if options["check"]:
            raise CommandError("static/js/events.d.ts is out of date. Run: manage.py typescript", returncode=1)
        path.write_text(wanted)
