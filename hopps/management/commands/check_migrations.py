"""`manage.py check_migrations`: could the release before live with the migrations that came since?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from hopps.migration_rules import REASON, problems, released


class Command(BaseCommand):
    help = "Says which migrations the release before could not live with (docs/migrations.md); exit status 1 where any is."

    def handle(self, *args: Any, **options: Any) -> None:
        loader = MigrationLoader(None)
        found = list(problems(loader, released()))
        if found:
            lines = "\n".join(found)
            raise CommandError(f"{lines}\nWhere one is safe all the same, its migration says why: `{REASON} = …`.")
        self.stdout.write("The release before can live with every migration.")
