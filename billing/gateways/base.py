"""What every payment gateway can do. Each call carries a key, and the same key again moves nothing twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

# How long a gateway is sure to know a key: Stripe forgets them after 24 hours (docs.stripe.com/api/idempotent_requests).
# What is older must be looked up, and never be asked for anew.
KEYS_KEPT = timedelta(hours=23)


@dataclass(frozen=True)
class CardDetails:
    """A card the gateway keeps for us: its name there, and what people know it by."""

    ref: str
    brand: str
    last4: str


@dataclass(frozen=True)
class Placed:
    """The money is reserved (or already captured). `card` is the one it is on, where the gateway's own page took it."""

    ref: str
    card: CardDetails | None = None


@dataclass(frozen=True)
class Declined:
    """Nothing is reserved, nor will be under this key. `sentence` is for the customer.

    `lapsed`: it was reserved, and the bank gave it back by itself.
    """

    ref: str
    sentence: str
    lapsed: bool = False


@dataclass(frozen=True)
class NeedsAction:
    """Nothing is reserved yet: the customer has to answer at `url` first."""

    ref: str
    url: str


HoldResult = Placed | Declined | NeedsAction


@dataclass(frozen=True)
class GatewayRefund:
    """A refund as the gateway sees it. A failed one's money is back with us; `problem` says why, for operators."""

    ref: str
    state: Literal["pending", "succeeded", "failed"]
    problem: str = ""


@dataclass(frozen=True)
class GatewayDispute:
    """A chargeback as the gateway sees it; `hold_ref` names the hold whose charge it is about."""

    ref: str
    hold_ref: str
    amount_minor: int
    reason: str
    state: Literal["needs_answer", "under_review", "won", "lost", "inquiry"]
    opened_at: datetime
    answer_by: datetime | None = None
    elsewhere: bool = False


@dataclass(frozen=True)
class AccountState:
    """Whether a payout account can be paid to."""

    ref: str
    ready: bool


# --- The gateway's books, as reconcile reads them ---
# `elsewhere`: by its mark, another site made it, which has the same account at the gateway.


@dataclass(frozen=True)
class HoldEntry:
    """A hold in the gateway's books. `key` is the idempotency key it was placed under, empty where it was not ours."""

    ref: str
    key: str
    state: Literal["waiting", "held", "captured", "over"]
    amount_minor: int
    captured_minor: int
    currency: str
    elsewhere: bool = False


@dataclass(frozen=True)
class RefundEntry:
    """A refund in the gateway's books."""

    ref: str
    key: str
    hold_ref: str
    amount_minor: int
    state: Literal["pending", "succeeded", "failed"]
    elsewhere: bool = False


@dataclass(frozen=True)
class TransferEntry:
    """A payout in the gateway's books; `reversed_minor` of it were taken back."""

    ref: str
    key: str
    account_ref: str
    amount_minor: int
    reversed_minor: int
    currency: str
    elsewhere: bool = False


# The least a card can be charged (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
_MINIMUM = {
    "USD": 50, "EUR": 50, "CHF": 50, "CAD": 50, "AUD": 50, "NZD": 50, "SGD": 50, "BRL": 50, "INR": 50, "GBP": 30, "JPY": 50,
    "AED": 200, "BGN": 100, "CZK": 1500, "DKK": 250, "HKD": 400, "HUF": 17500, "MXN": 1000, "MYR": 200, "NOK": 300,
    "PLN": 200, "RON": 200, "SEK": 300, "THB": 1000,
}  # fmt: skip


def minimum_charge(currency: str) -> int:
    """Return the least a card can be charged in `currency`, in minor units."""
    return _MINIMUM.get(currency, 50)


class GatewayError(Exception):
    """A call that moved nothing, as far as we know.

    `sentence` is for people; `detail`, the gateway's own words, for operators and the log.
    """

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.sentence = sentence
        self.detail = detail

    @property
    def in_full(self) -> str:
        """Both, for operators."""
        return f"{self.sentence} {self.detail}".strip()

    def __str__(self) -> str:
        return self.in_full


class GatewayRefused(GatewayError):
    """The gateway understood and said no; asking again will not help."""


class GatewayUnavailable(GatewayError):
    """No answer. It may or may not have been done: ask again with the same key."""


@dataclass(frozen=True)
class GatewayNews:
    """What a gateway's webhook told: that something about `subject` changed. What it is now, the gateway is asked.

    `key` is ours, where the event names it; `payload` the event as it came.
    """

    event_id: str
    type: str
    subject: Literal["hold", "card", "refund", "dispute", "account", "transfer", "nothing of ours"]
    ref: str
    key: str
    customer_ref: str
    payload: dict[str, object]


class Gateway(Protocol):
    """A card processor. Amounts are minor units; `ref` is the gateway's own name for a hold.

    Every method may raise GatewayUnavailable, and GatewayRefused where asking again will not help.
    """

    name: str
    hosted: bool
    """Whether cards are typed on a page of the gateway's own: then a hold can be asked for without a saved card."""

    def minimum_minor(self, currency: str) -> int:
        """Return the least that can be charged in `currency`."""
        ...

    # --- payers and cards ---

    def customer(self, *, key: str, email: str, name: str) -> str:
        """Return the gateway's name for a payer, made under `key` where there was none."""
        ...

    def card_page(self, *, key: str, customer_ref: str, return_url: str) -> str:
        """Return the address of the gateway's page that saves a card (hosted gateways only).

        It leads back to `return_url`, where `{ref}` becomes what `added_card` wants.
        """
        ...

    def added_card(self, *, ref: str, customer_ref: str) -> CardDetails | None:
        """Return the card a visit to `card_page` saved; None where it was left without one or was another payer's."""
        ...

    def remove_card(self, *, card_ref: str) -> None:
        """Forget a saved card. Forgotten already: fine. Holds on it stay."""
        ...

    # --- holds ---

    def place_hold(
        self,
        *,
        key: str,
        card_ref: str | None,
        customer_ref: str = "",
        amount_minor: int,
        currency: str,
        description: str,
        return_url: str,
    ) -> HoldResult:
        """Reserve money on a card; without one, on the card the customer types on the gateway's page (and saves there).

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

    # --- after the charge ---

    def refund(self, *, key: str, ref: str, amount_minor: int) -> GatewayRefund:
        """Give captured money back. Refused when all refunds would exceed the capture. The same key again: as it stands."""
        ...

    def refund_state(self, ref: str) -> GatewayRefund:
        """Return how a refund stands."""
        ...

    def refund_entry(self, ref: str) -> RefundEntry:
        """Return a refund as it is in the books, whoever made it."""
        ...

    def dispute_state(self, ref: str) -> GatewayDispute:
        """Return how a dispute stands."""
        ...

    # --- payouts ---

    def open_account(self, *, key: str) -> AccountState:
        """Return the account under `key` to pay an expert to, opened where there was none."""
        ...

    def account_page(self, *, ref: str, return_url: str) -> str:
        """Return the address of the page where the expert tells the gateway who they are and which bank they use."""
        ...

    def account_state(self, ref: str) -> AccountState:
        """Return whether an account can be paid to."""
        ...

    def account_dashboard(self, ref: str) -> str:
        """Return the address of the gateway's page where the expert sees what arrived; empty where there is none."""
        ...

    def transfer(self, *, key: str, account_ref: str, amount_minor: int, currency: str) -> TransferEntry:
        """Pay an expert. The same key again pays nothing more. Refused where the account or our balance cannot."""
        ...

    def transfer_state(self, ref: str) -> TransferEntry:
        """Return a payout as it is in the books."""
        ...

    # --- the books ---

    def holds_since(self, since: datetime) -> Iterator[HoldEntry]:
        """Yield every hold made since `since` (UTC)."""
        ...

    def refunds_since(self, since: datetime) -> Iterator[RefundEntry]:
        """Yield every refund made since `since` (UTC)."""
        ...

    def transfers_since(self, since: datetime) -> Iterator[TransferEntry]:
        """Yield every transfer made since `since` (UTC)."""
        ...

    def disputes_since(self, since: datetime) -> Iterator[GatewayDispute]:
        """Yield every dispute opened since `since` (UTC)."""
        ...
