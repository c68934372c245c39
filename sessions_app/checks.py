"""What must hold about calls for Hopps to start (see hopps/checks.py)."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from hopps.checks import STARTING, elsewhere, lacking, wrong_kind

KEYS = "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET"


@checks.register(STARTING)
def check_video(**_: Any) -> Iterator[CheckMessage]:
    """Where calls go by Twilio, its keys are there, and are what they should be."""
    if settings.VIDEO != "twilio":
        return
    yield from lacking("VIDEO=twilio", KEYS, id="sessions_app.E001")
    yield from elsewhere("TWILIO_VIDEO_BASE", id="sessions_app.E003")
    if not settings.DEVELOPMENT:
        kinds = {"TWILIO_ACCOUNT_SID": ("AC",), "TWILIO_API_KEY_SID": ("SK",)}
        yield from wrong_kind(kinds, id="sessions_app.E002")
