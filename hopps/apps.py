from django.apps import AppConfig


class HoppsConfig(AppConfig):
    name = "hopps"

    def ready(self) -> None:
        from hopps import job_trail  # noqa: F401  connects to huey's signals, in who asks for jobs and in who does them
