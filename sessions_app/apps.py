from django.apps import AppConfig
from django.core.checks import register


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    verbose_name = "Help sessions"

    def ready(self) -> None:
        from accounts.erasing import register as register_erasing
        from accounts.my_data import register as register_data
        from accounts.photos import shown_to
        from hopps.backups.uploads import names_files
        from hopps.metrics import register as show
        from sessions_app import (
            checks,  # noqa: F401  says what must hold to start
            erasing,
            my_data,
            receivers,  # noqa: F401  connects to billing's signals
        )
        from sessions_app.history import have_met
        from sessions_app.metrics import sessions
        from sessions_app.video.sdk import check_sdk

        register(check_sdk)
        show("sessions", sessions)
        names_files("sessions_app.chatfile", "stored_as")
        shown_to(have_met)
        register_data(my_data.TABLES)
        register_erasing(objects=erasing.objection, removes=erasing.remove)
