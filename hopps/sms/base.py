"""What every sender of texts can do (tests/hopps/test_sms.py holds each of them to it)."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hopps.sending import Taken, TurnedDown


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
