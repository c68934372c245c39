"""Holds: in both books, in the same state, with the same amounts."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q

from billing import capture, holds
from billing.gateways.base import Declined, GatewayError, GatewayRefused, HoldEntry, NeedsAction, Placed
from billing.keys import own_id
from billing.models import Hold, Payment
from billing.reconcile.run import Difference, Run, by_page, pages
from hopps.money import format_money

# What our word on a hold means in the gateway's books.
_EXPECTED = {
    Hold.State.PENDING: "waiting",
    Hold.State.PLACED: "held",
    Hold.State.CAPTURED: "captured",
    Hold.State.DECLINED: "over",
    Hold.State.RELEASING: "over",
    Hold.State.RELEASED: "over",
    Hold.State.LAPSED: "over",
}


def compare_holds(run: Run) -> Iterator[Difference]:
    """Holds: in both books, in the same state, with the same amounts."""
    seen = set()
    for page in pages(run.processor.holds_since(run.listed_since)):
        known = _known(run, page)
        for entry in page:
            hold = known.get(entry.ref)
            if hold is not None:
                seen.add(hold.pk)
                if hold.created_at < run.settled_before:
                    yield from run.apart(_named(hold), _compare_hold(run, hold, entry))
            elif entry.state != "over" and not entry.elsewhere:
                yield _unknown_hold(run, entry)
    ours = Hold.objects.filter(
        gateway=run.processor.name, created_at__gte=run.since, created_at__lt=run.settled_before
    ).exclude(gateway_ref="")
    for hold in by_page(ours.select_related("payment"), but=seen):
        yield from run.apart(_named(hold), _compare_unlisted(run, hold))


def _known(run: Run, entries: list[HoldEntry]) -> dict[str, Hold]:
    """Return our rows of these entries, by the gateway's names: found by our key, or by that name."""
    keys = {entry.ref: own_id(entry.key, "hold") for entry in entries}
    named = Q(pk__in=[key for key in keys.values() if key]) | Q(gateway_ref__in=list(keys))
    rows = list(Hold.objects.filter(named, gateway=run.processor.name).select_related("payment", "card"))
    by_key: dict[UUID | None, Hold] = {row.pk: row for row in rows}
    by_ref = {row.gateway_ref: row for row in rows}
    found = {ref: by_key.get(key) or by_ref.get(ref) for ref, key in keys.items()}
    return {ref: hold for ref, hold in found.items() if hold is not None}


def _compare_unlisted(run: Run, hold: Hold) -> Iterator[Difference]:
    if _is_being_closed(run, hold):
        return
    if hold.state == Hold.State.PENDING:
        # A page nobody has been to yet is no hold in the gateway's books.
        there = _state_there(run, hold)
        hold.refresh_from_db()
        if there != "waiting" and hold.state == Hold.State.PENDING:
            yield run.differs(f"{_named(hold)} is pending here and {there} there.", lambda: _look_again(hold))
    elif hold.state in (Hold.State.PLACED, Hold.State.CAPTURED):
        yield run.differs(f"{_named(hold)} is {hold.get_state_display().lower()} here and unknown there.")


def _state_there(run: Run, hold: Hold) -> str:
    """Ask the gateway how a hold stands, and write nothing."""
    try:
        result = run.processor.hold_state(hold.gateway_ref)
    except GatewayRefused:
        return "unknown"
    match result:
        case NeedsAction():
            return "waiting"
        case Placed():
            return "held"
        case Declined():
            return "over"


def _look_again(hold: Hold) -> bool:
    """Bring our row in line; return whether it changed."""
    before = hold.state
    holds.look_again(hold=hold)
    hold.refresh_from_db()
    return hold.state != before


def _unknown_hold(run: Run, entry: HoldEntry) -> Difference:
    amount = format_money(entry.captured_minor or entry.amount_minor, entry.currency)
    if own_id(entry.key, "hold") and entry.state in ("held", "waiting"):
        what = f"{entry.ref} reserves {amount} for a hold we have no row of."
        return run.differs(what, lambda: run.processor.release(key=f"orphan:{entry.ref}", ref=entry.ref))
    return run.differs(f"{entry.ref} ({amount}, {entry.state}) is none of ours.")


def _compare_hold(run: Run, hold: Hold, entry: HoldEntry) -> Iterator[Difference]:
    if _agree(hold, entry) or _moved_on(run, hold, entry):
        return
    if entry.state == _EXPECTED[Hold.State(hold.state)]:
        amounts = f"{entry.captured_minor} was captured there and {hold.captured_minor} here, in minor units"
        yield run.differs(f"{_named(hold)}: {amounts}.")
        return
    what = f"{_named(hold)} is {hold.get_state_display().lower()} here and {entry.state} there."
    payment = hold.payment
    match hold.state, entry.state:
        case (Hold.State.PENDING, _) | (Hold.State.PLACED, "over"):
            yield run.differs(what, lambda: _look_again(hold))
        case (Hold.State.PLACED | Hold.State.LAPSED, "captured") if payment.state == Payment.State.CAPTURING:
            yield run.differs(what, lambda: capture.carry_out(payment).state == Payment.State.CHARGED)
        case (Hold.State.DECLINED | Hold.State.RELEASED | Hold.State.RELEASING, "held" | "waiting"):
            yield run.differs(what, lambda: run.processor.release(key=f"release:{hold.pk}", ref=entry.ref))
        case _:
            yield run.differs(what)


def _agree(hold: Hold, entry: HoldEntry) -> bool:
    return entry.state == _EXPECTED[Hold.State(hold.state)] and entry.captured_minor == hold.captured_minor


def _moved_on(run: Run, hold: Hold, entry: HoldEntry) -> bool:
    """Return whether a hold that differs is only being worked on, and left to the next run: both sides are read again."""
    before = (hold.state, hold.captured_minor)
    hold.refresh_from_db()
    if (hold.state, hold.captured_minor) != before or _is_being_closed(run, hold):
        return True
    try:
        there = run.processor.hold_state(entry.ref)
    except GatewayError:  # no word of it: then what was listed stands
        return False
    return isinstance(there, Declined) != (entry.state == "over")


def _is_being_closed(run: Run, hold: Hold) -> bool:
    closed_at = hold.payment.closed_at
    return closed_at is not None and closed_at >= run.settled_before


def _named(hold: Hold) -> str:
    return f"Hold {hold.pk} ({format_money(hold.amount_minor, hold.payment.currency)}, {hold.gateway_ref or 'unnamed'})"
