"""What every payment gateway can do. Each call carries a key, and the same key again moves nothing twice."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Placed:
    """The money is reserved (or already captured)."""

    ref: str


@dataclass(frozen=True)
class Declined:
    """Nothing is reserved, nor will be under this key. `sentence` is for the customer."""

    ref: str
    sentence: str


@dataclass(frozen=True)
class NeedsAction:
    """Nothing is reserved yet: the customer has to answer at `url` first."""

    ref: str
    url: str


HoldResult = Placed | Declined | NeedsAction


class GatewayError(Exception):
    """A call that moved nothing, as far as we know. `sentence` is for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class GatewayRefused(GatewayError):
    """The gateway understood and said no; asking again will not help."""


class GatewayUnavailable(GatewayError):
    """No answer. It may or may not have been done: ask again with the same key."""


class Gateway(Protocol):
    """A card processor. Amounts are minor units; `ref` is the gateway's own name for a hold.

    Every method may raise GatewayUnavailable, and GatewayRefused where asking again will not help.
    """

    name: str

    def minimum_minor(self, currency: str) -> int:
        """Return the least that can be charged in `currency`."""
        ...

    def place_hold(
        self, *, key: str, card_ref: str, amount_minor: int, currency: str, description: str, return_url: str
    ) -> HoldResult:
        """Reserve money on a card.

        The same key again answers how the hold made under it stands now. Other words under the same key are refused.
        """
        ...

    def hold_state(self, ref: str) -> HoldResult:
        """Return how a hold stands, after the customer's answer to the bank for one. A hold given back is Declined."""
        ...

    def capture(self, *, key: str, ref: str, amount_minor: int) -> None:
        """Take `amount_minor` of a hold; the rest of it goes back. Refused above the hold, or when it is not held."""
        ...

    def release(self, *, key: str, ref: str) -> None:
        """Give a hold back, or call off one that waits for the customer. Given back already: fine. Refused once captured."""
        ...

    def refund(self, *, key: str, ref: str, amount_minor: int) -> str:
        """Give captured money back and return the refund's name. Refused when all refunds would exceed the capture."""
        ...
