"""Stripe's books, as reconcile reads them."""

from collections.abc import Iterator
from datetime import datetime

import stripe

from billing.gateways.base import GatewayDispute, HoldEntry, RefundEntry, TransferEntry
from billing.gateways.stripe.reading import (
    HOLD_STATES,
    dispute_of,
    is_elsewhere,
    key_of,
    refund_entry_of,
    transfer_of,
    translated,
)

# How many rows Stripe gives at once, at most.
PAGE = 100
# What is made on Stripe's own pages, or by banks, names no site; the intent it is about does.
INTENT = ["data.payment_intent"]


class StripeBooks:
    """Everything that was made since a moment, newest first."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def holds_since(self, since: datetime) -> Iterator[HoldEntry]:
        """Yield the intents created since then."""
        with translated():
            intents = self._api.payment_intents.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for intent in intents.auto_paging_iter():
                yield HoldEntry(
                    ref=intent.id,
                    key=key_of(intent),
                    state=HOLD_STATES.get(intent.status, "over"),
                    amount_minor=intent.amount,
                    captured_minor=intent.amount_received if intent.status == "succeeded" else 0,
                    currency=intent.currency.upper(),
                    elsewhere=is_elsewhere(intent),
                )

    def refunds_since(self, since: datetime) -> Iterator[RefundEntry]:
        """Yield the refunds created since then."""
        with translated():
            refunds = self._api.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": INTENT})
            for made in refunds.auto_paging_iter():
                yield refund_entry_of(made)

    def transfers_since(self, since: datetime) -> Iterator[TransferEntry]:
        """Yield the transfers created since then."""
        with translated():
            transfers = self._api.transfers.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for made in transfers.auto_paging_iter():
                yield transfer_of(made)

    def disputes_since(self, since: datetime) -> Iterator[GatewayDispute]:
        """Yield the disputes opened since then."""
        with translated():
            disputes = self._api.disputes.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": INTENT})
            for opened in disputes.auto_paging_iter():
                yield dispute_of(opened)
