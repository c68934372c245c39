"""Refunds: in both books, with the same amounts and outcome."""

from collections.abc import Iterator

from billing import refund
from billing.gateways.base import GatewayRefused, RefundEntry
from billing.keys import own_id
from billing.models import Refund
from billing.reconcile.run import Difference, Run, by_page, pages


def compare_refunds(run: Run) -> Iterator[Difference]:
    """Refunds: in both books, with the same amounts and outcome."""
    seen = set()
    for page in pages(run.processor.refunds_since(run.listed_since)):
        keys = {entry.ref: own_id(entry.key, "refund") for entry in page}
        known = Refund.objects.in_bulk([key for key in keys.values() if key])
        for entry in page:
            seen.add(entry.ref)
            key = keys[entry.ref]
            made = known.get(key) if key else refund.adopted(entry.ref, run.processor.name)
            yield from run.apart(f"Refund {entry.ref}", _compare_entry(run, made, entry))
    rows = Refund.objects.filter(created_at__lt=run.settled_before).prefetch_related("payment__holds")
    # What the bank takes its time for may be older than `since`.
    for made in by_page(rows.filter(state=Refund.State.PENDING)):
        yield from run.apart(f"Refund {made.pk}", _follow(run, made))
    for made in by_page(rows.filter(created_at__gte=run.since, state=Refund.State.SUCCEEDED)):
        yield from run.apart(f"Refund {made.pk}", _compare_row(run, made, seen))


def _compare_row(run: Run, made: Refund, seen: set[str]) -> Iterator[Difference]:
    holds = _holds_of(run, made)
    for part in made.parts:
        if part["hold"] in holds and part["ref"] and part["ref"] not in seen and not _is_known(run, part["ref"]):
            yield run.differs(f"Refund {made.pk}: its part {part['ref']} is unknown there.")


def _holds_of(run: Run, made: Refund) -> set[str]:
    """Return the ids of the payment's holds at this gateway."""
    return {str(hold.pk) for hold in made.payment.holds.all() if hold.gateway == run.processor.name}


def _compare_entry(run: Run, made: Refund | None, entry: RefundEntry) -> Iterator[Difference]:
    if made is None:
        made_elsewhere = entry.elsewhere and (entry.key or not run.is_ours(entry.hold_ref))
        if entry.state == "failed" or made_elsewhere:
            return
        what = f"Refund {entry.ref} of {entry.amount_minor} (minor units) is not in our books."
        if own_id(entry.key, "refund") is None:
            yield run.differs(what, lambda: refund.adopt(entry=entry, gateway_name=run.processor.name) or False)
        else:
            yield run.differs(what)
        return
    if made.created_at >= run.settled_before:
        return  # it is being made
    part = next((part for part in made.parts if part["ref"] == entry.ref), None)
    if part is None:
        if made.state == Refund.State.PENDING:
            return  # it is followed below
        yield run.differs(f"Refund {made.pk} was given back as {entry.ref}, which its row does not know.")
    elif part["amount_minor"] != entry.amount_minor:
        amounts = f"{entry.amount_minor} there and {part['amount_minor']} here, in minor units"
        yield run.differs(f"Refund {made.pk}, {entry.ref}: {amounts}.")
    elif part["state"] != entry.state and made.state != Refund.State.PENDING:
        # Once more, and now: the listing may be older than our row.
        yield from _ask(run, made)


def _follow(run: Run, made: Refund) -> Iterator[Difference]:
    """Compare a pending refund, by asking: it may be older than what is listed."""
    if not {part["hold"] for part in made.parts} <= _holds_of(run, made):
        return
    if made.revision == 0:
        yield run.differs(f"Refund {made.pk} was begun and not finished.", lambda: refund.carry_out(made).revision > 0)
        return
    yield from _ask(run, made)


def _ask(run: Run, made: Refund) -> Iterator[Difference]:
    there = []
    for part in made.parts:
        state = part["state"]
        if part["ref"]:
            try:
                state = run.processor.refund_state(part["ref"]).state
            except GatewayRefused:  # nothing is known of it, so our row stays as it is
                yield run.differs(f"Refund {made.pk}: its part {part['ref']} is unknown there.")
        there.append(state)
    made.refresh_from_db()
    here = [part["state"] for part in made.parts]
    if there != here:
        what = f"Refund {made.pk} is {' and '.join(there)} there and {' and '.join(here)} here."
        yield run.differs(what, lambda: _carried_out(made, there))


def _carried_out(made: Refund, there: list[str]) -> bool:
    """Carry a refund out; return whether our row says by now what the gateway does."""
    return [part["state"] for part in refund.carry_out(made).parts] == there


def _is_known(run: Run, ref: str) -> bool:
    """Return whether the gateway knows a refund that was not among the entries: one made there may be older than our row."""
    try:
        run.processor.refund_state(ref)
    except GatewayRefused:
        return False
    return True
