"""The test cards, by number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """How a card behaves."""

    number: str
    label: str
    needs_authentication: bool = False
    declined: str | None = None
    """The decline code, such as "generic_decline"; None for a card that pays."""


APPROVED = "4242424242424242"
DECLINED = "4000000000000002"
NEEDS_AUTHENTICATION = "4000002500003155"
NO_FUNDS = "4000000000009995"

CARDS = {
    card.number: card
    for card in (
        Card(APPROVED, "approved"),
        Card(DECLINED, "declined", declined="generic_decline"),
        # At Stripe this one stops asking once it is saved with a proof; here it asks each time.
        Card(NEEDS_AUTHENTICATION, "needs 3-D Secure", needs_authentication=True),
        Card(NO_FUNDS, "insufficient funds", declined="insufficient_funds"),
    )
}

MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}
