"""Money: cards, payments and their holds and refunds, payouts, and the ledger everything is read from."""

from billing.models.cards import Card, GatewayCustomer
from billing.models.demo import DemoAccount, DemoIntent, DemoRefund, DemoTransfer
from billing.models.events import GatewayEvent
from billing.models.ledger import Posting
from billing.models.payments import Dispute, Hold, Payment, Refund
from billing.models.payouts import Payout, PayoutAccount

__all__ = [
    "Card",
    "DemoAccount",
    "DemoIntent",
    "DemoRefund",
    "DemoTransfer",
    "Dispute",
    "GatewayCustomer",
    "GatewayEvent",
    "Hold",
    "Payment",
    "Payout",
    "PayoutAccount",
    "Posting",
    "Refund",
]
