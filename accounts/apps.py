from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Listen, and show what is counted."""
        from accounts import receivers  # noqa: F401  the models must be there first
        from accounts.metrics import people
        from accounts.operators import keep_teams
        from hopps.metrics import register

        register("people", people)
        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(keep_teams, dispatch_uid="operators")
