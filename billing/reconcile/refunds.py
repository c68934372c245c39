"""Refunds: in both books, with the same amounts and outcome."""

from collections.abc import Iterator

from billing import refund
from billing.gateways.base import RefundEntry
from billing.keys import own_id
from billing.models import Hold, Refund
from billing.reconcile.run import Difference, Run


def compare_refunds(run: Run) -> Iterator[Difference]:
    """Refunds: in both books, with the same amounts and outcome."""
    seen = set()
    for entry in run.processor.refunds_since(run.listed_since):
        seen.add(entry.ref)
        yield from run.apart(f"Refund {entry.ref}", _compare_entry(run, entry))
    # What the bank takes its time for may be older than `since`.
    for made in Refund.objects.filter(state=Refund.State.PENDING, created_at__lt=run.settled_before):
        yield from run.apart(f"Refund {made.pk}", _follow(run, made))
    ours = Refund.objects.filter(created_at__gte=run.since, created_at__lt=run.settled_before)
    for made in ours.exclude(state=Refund.State.FAILED).select_related("payment"):
        yield from run.apart(f"Refund {made.pk}", _compare_row(run, made, seen))


def _compare_row(run: Run, made: Refund, seen: set[str]) -> Iterator[Difference]:
    for part in made.parts:
        if part["ref"] and part["ref"] not in seen and _is_ours(run, part["hold"]):
            yield run.differs(f"Refund {made.pk}: its part {part['ref']} is unknown there.")


def _is_ours(run: Run, hold_id: str) -> bool:
    return Hold.objects.filter(pk=hold_id, gateway=run.processor.name).exists()


def _compare_entry(run: Run, entry: RefundEntry) -> Iterator[Difference]:
    pk = own_id(entry.key, "refund")
    made = Refund.objects.filter(pk=pk).first() if pk else refund.adopted(entry.ref, run.processor.name)
    if made is None:
        if entry.state == "failed":
            return
        what = f"Refund {entry.ref} of {entry.amount_minor} (minor units) is not in our books."
        if pk is None:
            yield run.differs(what, lambda: refund.adopt(entry=entry, gateway_name=run.processor.name) or False)
        else:
            yield run.differs(what)
        return
    part = next((part for part in made.parts if part["ref"] == entry.ref), None)
    if part is None:
        if made.state == Refund.State.PENDING:
            return  # it is followed below
        yield run.differs(f"Refund {made.pk} was given back as {entry.ref}, which its row does not know.")
    elif part["amount_minor"] != entry.amount_minor:
        amounts = f"{entry.amount_minor} there and {part['amount_minor']} here, in minor units"
        yield run.differs(f"Refund {made.pk}, {entry.ref}: {amounts}.")
    elif part["state"] != entry.state and made.state != Refund.State.PENDING:
        what = f"Refund {made.pk}, {entry.ref} is {entry.state} there and {part['state']} here."
        there = [entry.state if one["ref"] == entry.ref else one["state"] for one in made.parts]
        yield run.differs(what, lambda: _carried_out(made, there))


def _follow(run: Run, made: Refund) -> Iterator[Difference]:
    """Compare a pending refund, by asking: it may be older than what is listed."""
    if not all(_is_ours(run, part["hold"]) for part in made.parts):
        return
    if made.revision == 0:
        yield run.differs(f"Refund {made.pk} was begun and not finished.", lambda: refund.carry_out(made).revision > 0)
        return
    there = [run.processor.refund_state(part["ref"]).state if part["ref"] else part["state"] for part in made.parts]
    made.refresh_from_db()
    here = [part["state"] for part in made.parts]
    if there != here:
        what = f"Refund {made.pk} is {' and '.join(there)} there and {' and '.join(here)} here."
        yield run.differs(what, lambda: _carried_out(made, there))


def _carried_out(made: Refund, there: list[str]) -> bool:
    """Carry a refund out; return whether our row says by now what the gateway does."""
    return [part["state"] for part in refund.carry_out(made).parts] == there
