from django.apps import AppConfig
from django.conf import settings


class HoppsConfig(AppConfig):
    name = "hopps"

    def ready(self) -> None:
        # Connects to huey's signals, in who asks for jobs and in who does them; says what must hold to start.
        from hopps import checks, job_trail, logs  # noqa: F401

        if settings.LOG_FORMAT == "json" or not settings.DEVELOPMENT:
            logs.log_what_nobody_caught()
        if settings.SENTRY_DSN:
            from hopps import sentry

            sentry.start(settings.SENTRY_DSN, release=settings.RELEASE, environment=settings.SENTRY_ENVIRONMENT)
