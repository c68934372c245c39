"""Payouts: in both books, with the same amounts, and what was taken back of them."""

from collections.abc import Iterator

from billing import payouts
from billing.gateways.base import TransferEntry
from billing.keys import own_id
from billing.models import Payout
from billing.reconcile.run import Difference, Run, by_page, pages
from hopps.money import format_money


def compare_payouts(run: Run) -> Iterator[Difference]:
    """Payouts: in both books, with the same amounts, and what was taken back of them."""
    rows = Payout.objects.select_related("account", "expert")
    seen = set()
    for page in pages(run.processor.transfers_since(run.listed_since)):
        keys = {entry.ref: own_id(entry.key, "payout") for entry in page}
        known = rows.in_bulk([key for key in keys.values() if key])
        for entry in page:
            key = keys[entry.ref]
            payout = known.get(key) if key else None
            if payout is None:
                if not entry.elsewhere:
                    amount = format_money(entry.amount_minor, entry.currency)
                    yield run.differs(f"Transfer {entry.ref} of {amount} is not in our books.")
                continue
            seen.add(payout.pk)
            if payout.created_at < run.settled_before:
                yield from run.apart(_named(payout), _compare(run, payout, entry))
    ours = rows.filter(account__gateway=run.processor.name, created_at__gte=run.since, created_at__lt=run.settled_before)
    for payout in by_page(ours.exclude(state=Payout.State.FAILED), but=seen):
        yield _unknown_there(run, payout)


def _unknown_there(run: Run, payout: Payout) -> Difference:
    if payout.state == Payout.State.PAID:
        return run.differs(f"{_named(payout)} is paid here and unknown there.")
    what = f"{_named(payout)} is still on its way here and unknown there."
    return run.differs(what, lambda: payouts.carry_out(payout, run.now).state != Payout.State.PENDING)


def _compare(run: Run, payout: Payout, entry: TransferEntry) -> Iterator[Difference]:
    if (entry.amount_minor, entry.currency) != (payout.amount_minor, payout.currency):
        amount = format_money(entry.amount_minor, entry.currency)
        yield run.differs(f"{_named(payout)} was {amount} there.")
        return
    if payout.state != Payout.State.PAID or entry.reversed_minor != payout.reversed_minor:
        # Once more, and now: the listing may be older than our row.
        entry = run.processor.transfer_state(entry.ref)
        payout.refresh_from_db()
    if payout.state != Payout.State.PAID:
        what = f"{_named(payout)} is paid there and {payout.state} here."
        yield run.differs(what, lambda: payouts.record_paid(payout, entry.ref))
    if entry.reversed_minor != payout.reversed_minor:
        what = f"{_named(payout)}: {entry.reversed_minor} (minor units) was taken back there."
        yield run.differs(
            what, lambda: payouts.record_reversal(payout, entry.reversed_minor).reversed_minor == entry.reversed_minor
        )


def _named(payout: Payout) -> str:
    return f"Payout {payout.pk} ({payout})"
