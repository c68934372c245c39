"""Texts to phones. `SMS=console|sns|twilio` says who sends them."""

from django.conf import settings

from hopps.sms.base import SmsSender
from hopps.sms.console import ConsoleSender


def sender(name: str = "") -> SmsSender:
    """Return the sender called `name`, or the one the settings name."""
    match name or settings.SMS:
        case "console":
            return ConsoleSender()
        case "sns":
            from hopps.sms.sns import SnsSender  # late: who does not send by it need not load its library

            return SnsSender()
        case "twilio":
            from hopps.sms.twilio import TwilioSender

            return TwilioSender()
        case other:
            raise ValueError(f"There is no sender of texts called {other!r}.")
