"""What every sender of texts can do (tests/hopps/test_sms.py holds each of them to it)."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hopps.sending import Taken, TurnedDown

# How long a provider's connection and its answer may take. SNS is asked two things for a text: 10 seconds are never reached,
# after which a message that is being sent counts as in doubt (sessions_app.reach.healing).
CONNECT_SECONDS = 1.5
READ_SECONDS = 3.0


@dataclass(frozen=True)
class Report:
    """What became of a text that was taken."""

    state: Literal["underway", "delivered", "refused", "failed"]
    problem: str = ""
    unsubscribed: bool = False
    cost_micros: int | None = None
    """Millionths of `cost_currency`; None while it is not known."""
    cost_currency: str = ""


class SmsSender(Protocol):
    """Sends texts."""

    name: str

    def send(self, *, to: str, text: str) -> Taken | TurnedDown:
        """Send `text` to the number `to` (E.164), asking the provider at most once.

        Raises:
            NotTaken: certainly not sent; it may be tried again.
            InDoubt: no answer; it may have been sent.
        """
        ...

    def report(self, ref: str) -> Report | None:
        """Return how the text `ref` stands now, or None where this provider cannot be asked.

        Raises:
            NotTaken: the provider does not answer now.
        """
        ...


def answered_too_late(status: int) -> bool:
    """Whether an HTTP status says that whom the provider's gateway asked did not answer: nobody knows what was done."""
    return status in (502, 504)
