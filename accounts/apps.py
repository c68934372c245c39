from django.apps import AppConfig


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
        from hopps.backups.uploads import names_files
        from hopps.metrics import register

        register("people", people)
        names_files("accounts.photo", "stored")
        my_data.register(my_data_tables.TABLES)
