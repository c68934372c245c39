from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    verbose_name = "Help sessions"

    def ready(self) -> None:
        from sessions_app import receivers  # noqa: F401  connects to billing's signals
