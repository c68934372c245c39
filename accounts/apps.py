from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Listen."""
        from accounts import receivers  # noqa: F401  the models must be there first
