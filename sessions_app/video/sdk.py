"""Twilio's SDK for the page: where it is served, and whether it is there at all."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error
from django.templatetags.static import static

from hopps.npm_files import TWILIO_VIDEO
from sessions_app.models import HelpSession, Video


def sdk_address(session: HelpSession) -> str:
    """Return where the page of `session` gets the SDK from; "" where the call does not go through Twilio, or there is none.

    A page without it says that it cannot reach Twilio, and the call goes on between the two browsers.
    """
    if session.video != Video.TWILIO:
        return ""
    try:
        return static(TWILIO_VIDEO)
    except ValueError:  # not collected
        return ""


def check_sdk(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong where calls go through Twilio: the SDK for the page is not there."""
    # Collected already (an image carries what it serves), or about to be.
    collected = TWILIO_VIDEO in getattr(staticfiles_storage, "hashed_files", {})
    if settings.VIDEO != "twilio" or collected or finders.find(TWILIO_VIDEO) is not None:
        return []
    return [
        Error(
            "VIDEO=twilio needs Twilio's SDK for the page, and it is not installed.",
            hint="Run: npm ci --omit=dev --ignore-scripts   and then: manage.py prepare",
            id="hopps.E001",
        )
    ]
