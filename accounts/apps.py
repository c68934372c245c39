from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Listen, show what is counted, and have backups hold photos."""
        from accounts import (
            my_data,
            my_data_tables,
            receivers,  # noqa: F401  the models must be there first
        )
        from accounts.metrics import people
        from accounts.operators import keep_teams
        from hopps.backups.uploads import names_files
        from hopps.metrics import register

        register("people", people)
        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(keep_teams, dispatch_uid="operators")
        names_files("accounts.photo", "stored")
        my_data.register(my_data_tables.TABLES)
