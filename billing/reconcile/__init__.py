"""Comparing our books with the gateway's: every hold, charge, refund, dispute and payout of the last days.

Of any age: disputes that are not over, refunds that are pending, and whether payout accounts can be paid to.

Webhooks get lost, people work in the processor's own pages, a database may be restored from a backup. What can be put
right without deciding anything is put right here; the rest is for operators.
"""

import logging
from datetime import datetime

from billing.gateways import gateway
from billing.reconcile.accounts import compare_accounts
from billing.reconcile.disputes import compare_disputes
from billing.reconcile.events import compare_events
from billing.reconcile.holds import compare_holds
from billing.reconcile.payments import compare_charges, compare_ledger
from billing.reconcile.payouts import compare_payouts
from billing.reconcile.refunds import compare_refunds
from billing.reconcile.run import Difference, Run

__all__ = ["DAYS", "Difference", "reconcile"]

logger = logging.getLogger(__name__)

# How far back to look: holds live for seven days, and banks take up to ten for a refund.
DAYS = 14

# In the order of a payment's life: what comes later stands on what came before.
_KINDS = (
    compare_events,
    compare_holds,
    compare_charges,
    compare_refunds,
    compare_disputes,
    compare_accounts,
    compare_payouts,
    compare_ledger,
)


def reconcile(*, gateway_name: str, since: datetime, now: datetime, repair: bool = True) -> list[Difference]:
    """Compare everything made since `since` (UTC), and what is still open from before; repair what is safe.

    Args:
        gateway_name: whose books.
        since: how far back.
        now: UTC; what happened in the last five minutes before is left alone.
        repair: only look, where False.

    Returns:
        The differences found, whether repaired or not; empty where all agrees.

    Raises:
        GatewayError: the gateway did not show its books.
    """
    run = Run(gateway(gateway_name), since, now, repair)
    found: list[Difference] = []
    for compare in _KINDS:
        for difference in compare(run):
            # At once: what was found is known also where the run ends early.
            logger.warning("Reconcile: %s", difference)
            found.append(difference)
    return found
