"""What sending a message can come to, whoever sends it: a text, a notification or a mail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """The sender has it and will bring it."""

    gateway: str
    ref: str = ""
    """The sender's own name for it, where it gives one."""


@dataclass(frozen=True)
class TurnedDown:
    """It was not sent and never will be to this address; `reason` is a sentence for operators."""

    gateway: str
    reason: str
    unsubscribed: bool = False
    """Whether this address must not be written to any more: the person said STOP, or the carrier refuses it for good."""


class NotTaken(Exception):
    """It was certainly not sent, for a reason that passes: throttled, a fault of theirs, no connection. Try again."""


class InDoubt(Exception):
    """The sender was asked and did not answer: it may have been sent. Whoever must not send twice does not try again."""
