"""Disputes: known, and in the state the bank gave them."""

from collections.abc import Iterator

from billing import disputes
from billing.gateways.base import GatewayDispute
from billing.models import Dispute
from billing.reconcile.run import Difference, Run


def compare_disputes(run: Run) -> Iterator[Difference]:
    """Disputes: known, and in the state the bank gave them."""
    for seen in run.processor.disputes_since(run.listed_since):
        yield from run.apart(f"Dispute {seen.ref}", _compare(run, seen))


def _compare(run: Run, seen: GatewayDispute) -> Iterator[Difference]:
    row = Dispute.objects.filter(gateway=run.processor.name, gateway_ref=seen.ref).first()
    if row is None:
        yield run.differs(f"Dispute {seen.ref} is not in our books.", lambda: _write_down(run, seen))
    elif row.state != seen.state:
        yield run.differs(f"Dispute {seen.ref} is {seen.state} there and {row.state} here.", lambda: _write_down(run, seen))


def _write_down(run: Run, seen: GatewayDispute) -> bool:
    """Return whether our row says by now what the gateway does: news that was overtaken changes nothing."""
    row = disputes.write_down(seen=seen, gateway_name=run.processor.name)
    return row is not None and row.state == seen.state
