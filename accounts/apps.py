from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Listen, and show what is counted."""
        from accounts import receivers  # noqa: F401  the models must be there first
        from accounts.metrics import people
        from hopps.metrics import register

        register("people", people)
