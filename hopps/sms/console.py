"""Texts in the server's log: for development, where everybody reads everybody's texts."""

import logging
from uuid import uuid4

from hopps.sending import Taken, TurnedDown
from hopps.sms.base import Report

logger = logging.getLogger("hopps.sms")


class ConsoleSender:
    """Writes texts to the log."""

    name = "console"

    def send(self, *, to: str, text: str) -> Taken | TurnedDown:
        """See `SmsSender.send`."""
        logger.info("Text to %s: %s", to, text)
        return Taken(self.name, uuid4().hex)

    def report(self, ref: str) -> Report | None:
        """See `SmsSender.report`: what is in the log is delivered."""
        return Report("delivered")
