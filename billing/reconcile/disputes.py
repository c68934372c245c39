"""Disputes: known, and in the state the bank gave them."""

from collections.abc import Iterator

from billing import disputes
from billing.gateways.base import GatewayDispute, GatewayRefused
from billing.models import Dispute
from billing.reconcile.run import Difference, Run, by_page, pages


def compare_disputes(run: Run) -> Iterator[Difference]:
    """Disputes opened in the time, and all of ours that are not over: banks take months, and are asked until then."""
    ours = Dispute.objects.filter(gateway=run.processor.name)
    seen = set()
    for page in pages(run.processor.disputes_since(run.listed_since)):
        known = {row.gateway_ref: row for row in ours.filter(gateway_ref__in=[opened.ref for opened in page])}
        for opened in page:
            seen.add(opened.ref)
            yield from run.apart(f"Dispute {opened.ref}", _compare(run, known.get(opened.ref), opened))
    for row in by_page(ours.exclude(state__in=Dispute.OVER)):
        if row.gateway_ref not in seen:
            yield from run.apart(f"Dispute {row.gateway_ref}", _ask(run, row))


def _compare(run: Run, row: Dispute | None, opened: GatewayDispute) -> Iterator[Difference]:
    if row is None:
        if opened.opened_at >= run.settled_before:
            return  # its event is on the way
        if opened.elsewhere and not run.is_ours(opened.hold_ref):
            return
        yield run.differs(f"Dispute {opened.ref} is not in our books.", lambda: _write_down(run, opened))
    elif row.state != opened.state:
        # Once more, and now: the listing may be older than our row.
        yield from _ask(run, row)


def _ask(run: Run, row: Dispute) -> Iterator[Difference]:
    try:
        now = run.processor.dispute_state(row.gateway_ref)
    except GatewayRefused as refusal:
        yield run.differs(f"Dispute {row.gateway_ref} is {row.state} here and unknown there ({refusal.in_full})")
        return
    row.refresh_from_db()
    if row.state != now.state:
        what = f"Dispute {row.gateway_ref} is {now.state} there and {row.state} here."
        yield run.differs(what, lambda: _write_down(run, now))


def _write_down(run: Run, seen: GatewayDispute) -> bool:
    """Return whether our row says by now what the gateway does: news that was overtaken changes nothing."""
    row = disputes.write_down(seen=seen, gateway_name=run.processor.name)
    return row is not None and row.state == seen.state
