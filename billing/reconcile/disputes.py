"""Disputes: known, and in the state the bank gave them."""

from collections.abc import Iterator

from billing import disputes
from billing.gateways.base import GatewayDispute
from billing.models import Dispute
from billing.reconcile.run import Difference, Run


def compare_disputes(run: Run) -> Iterator[Difference]:
    """Disputes: known, and in the state the bank gave them."""
    for seen in run.processor.disputes_since(run.listed_since):
        row = Dispute.objects.filter(gateway=run.processor.name, gateway_ref=seen.ref).first()
        if row is None:
            yield run.differs(f"Dispute {seen.ref} is not in our books.", lambda seen=seen: _dispute(run, seen))  # type: ignore[misc]
        elif row.state != seen.state:
            what = f"Dispute {seen.ref} is {seen.state} there and {row.state} here."
            yield run.differs(what, lambda seen=seen: _dispute(run, seen))  # type: ignore[misc]


def _dispute(run: Run, seen: GatewayDispute) -> bool:
    return disputes.write_down(seen=seen, gateway_name=run.processor.name) is not None
