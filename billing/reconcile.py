"""Comparing our books with the gateway's: every hold, charge, refund, dispute and payout of the last days.

Webhooks get lost, people work in the processor's own pages, a database may be restored from a backup. What can be put
right without deciding anything is put right here; the rest is for operators.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import capture, disputes, holds, payouts, refund
from billing.gateways import gateway
from billing.gateways.base import (
    Gateway,
    GatewayDispute,
    GatewayError,
    HoldEntry,
    RefundEntry,
    TransferEntry,
)
from billing.keys import own_id
from billing.models import Dispute, GatewayEvent, Hold, Payment, Payout, Refund
from billing.returned import recount, returned_of
from billing.webhooks import GIVEN_UP, heal_events
from hopps.money import format_money

logger = logging.getLogger(__name__)

# How far back to look: holds live for seven days, and banks take up to ten for a refund.
DAYS = 14
# What is younger is still being worked on, and differs by nature.
SETTLING = timedelta(minutes=5)
# The gateway's clock may be behind ours.
CLOCKS_APART = timedelta(hours=1)

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


@dataclass(frozen=True)
class Difference:
    """Something our books and the gateway's do not agree on; `repaired` where they do by now."""

    what: str
    repaired: bool

    def __str__(self) -> str:
        return f"{self.what} {'Repaired.' if self.repaired else 'Needs a person.'}"


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
    comparison = _Comparison(gateway(gateway_name), since, now, repair)
    found: list[Difference] = []
    # In the order of a payment's life: what comes later stands on what came before.
    for part in (
        comparison.events,
        comparison.holds,
        comparison.charges,
        comparison.refunds,
        comparison.disputes,
        comparison.payouts,
        comparison.ledger,
    ):
        found.extend(part())
    for difference in found:
        logger.warning("Reconcile: %s", difference)
    return found


class _Comparison:
    """One run: the gateway's entries against our rows, kind by kind."""

    def __init__(self, processor: Gateway, since: datetime, now: datetime, repair: bool) -> None:
        self.processor = processor
        self.since = since
        self.now = now
        self.repair = repair
        self.settled_before = now - SETTLING

    def _differs(self, what: str, mend: Callable[[], object] | None = None) -> Difference:
        """Return the difference, mended where that is safe and wanted. `mend` answers False where it could not."""
        if mend is None or not self.repair:
            return Difference(what, repaired=False)
        try:
            return Difference(what, repaired=mend() is not False)
        except GatewayError as problem:
            return Difference(f"{what} ({problem.sentence})", repaired=False)

    # --- events ---

    def events(self) -> Iterator[Difference]:
        """Events that nobody could look into."""
        waiting = GatewayEvent.objects.filter(
            gateway=self.processor.name, handled_at=None, received_at__lt=self.settled_before
        )
        if not waiting.exists():
            return
        if self.repair:
            heal_events(self.now)
        for event in waiting:
            too_old = event.received_at < self.now - GIVEN_UP
            what = f"Event {event.event_id} ({event.type}) was not looked into"
            yield Difference(f"{what}, and is given up." if too_old else f"{what}.", repaired=False)

    # --- holds ---

    def holds(self) -> Iterator[Difference]:
        """Holds: in both books, in the same state, with the same amounts."""
        seen = set()
        for entry in self.processor.holds_since(self.since - CLOCKS_APART):
            hold = self._hold_of(entry)
            if hold is not None:
                seen.add(hold.pk)
                if hold.created_at < self.settled_before:
                    yield from self._compare_hold(hold, entry)
            elif entry.state != "over":
                yield self._unknown_hold(entry)
        ours = Hold.objects.filter(
            gateway=self.processor.name, created_at__gte=self.since, created_at__lt=self.settled_before
        ).exclude(gateway_ref="")
        for hold in ours.exclude(pk__in=seen).select_related("payment"):
            if hold.state == Hold.State.PENDING:
                # A page nobody has been to yet is no hold in the gateway's books.
                holds.look_again(hold=hold)
            elif hold.state in (Hold.State.PLACED, Hold.State.CAPTURED):
                yield self._differs(f"{_named(hold)} is {hold.get_state_display().lower()} here and unknown there.")

    def _hold_of(self, entry: HoldEntry) -> Hold | None:
        known = Hold.objects.filter(gateway=self.processor.name).select_related("payment", "card")
        pk = own_id(entry.key, "hold")
        return (known.filter(pk=pk).first() if pk else None) or known.filter(gateway_ref=entry.ref).first()

    def _unknown_hold(self, entry: HoldEntry) -> Difference:
        amount = format_money(entry.captured_minor or entry.amount_minor, entry.currency)
        if own_id(entry.key, "hold") and entry.state in ("held", "waiting"):
            what = f"{entry.ref} reserves {amount} for a hold we have no row of."
            return self._differs(what, lambda: self.processor.release(key=f"orphan:{entry.ref}", ref=entry.ref))
        return self._differs(f"{entry.ref} ({amount}, {entry.state}) is none of ours.")

    def _compare_hold(self, hold: Hold, entry: HoldEntry) -> Iterator[Difference]:
        expected = _EXPECTED[Hold.State(hold.state)]
        if entry.state == expected:
            if entry.captured_minor != hold.captured_minor:
                amounts = f"{entry.captured_minor} was captured there and {hold.captured_minor} here, in minor units"
                yield self._differs(f"{_named(hold)}: {amounts}.")
            return
        what = f"{_named(hold)} is {hold.get_state_display().lower()} here and {entry.state} there."
        payment = hold.payment
        match hold.state, entry.state:
            case (Hold.State.PENDING, _) | (Hold.State.PLACED, "over"):
                yield self._differs(what, lambda: holds.look_again(hold=hold))
            case (Hold.State.PLACED | Hold.State.LAPSED, "captured") if payment.state == Payment.State.CAPTURING:
                yield self._differs(what, lambda: capture.carry_out(payment))
            case (Hold.State.DECLINED | Hold.State.RELEASED | Hold.State.RELEASING, "held" | "waiting"):
                yield self._differs(what, lambda: self.processor.release(key=f"release:{hold.pk}", ref=entry.ref))
            case _:
                yield self._differs(what)

    # --- charges ---

    def charges(self) -> Iterator[Difference]:
        """Payments that were decided and never charged, though nothing is in the way."""
        stuck = Payment.objects.filter(state=Payment.State.CAPTURING, closed_at__lt=self.settled_before)
        for payment in stuck.filter(holds__gateway=self.processor.name).distinct():
            what = f"Payment {payment.pk} is still being charged."
            yield self._differs(what, lambda payment=payment: _finish(payment))  # type: ignore[misc]

    # --- refunds ---

    def refunds(self) -> Iterator[Difference]:
        """Refunds: in both books, with the same amounts and outcome."""
        seen = set()
        for entry in self.processor.refunds_since(self.since - CLOCKS_APART):
            seen.add(entry.ref)
            yield from self._compare_refund(entry)
        # What the bank takes its time for may be older than `since`.
        for made in Refund.objects.filter(state=Refund.State.PENDING, created_at__lt=self.settled_before):
            yield from self._follow_refund(made)
        ours = Refund.objects.filter(created_at__gte=self.since, created_at__lt=self.settled_before)
        for made in ours.exclude(state=Refund.State.FAILED).select_related("payment"):
            for part in made.parts:
                if part["ref"] and part["ref"] not in seen and self._is_ours(part["hold"]):
                    yield self._differs(f"Refund {made.pk}: its part {part['ref']} is unknown there.")

    def _is_ours(self, hold_id: str) -> bool:
        return Hold.objects.filter(pk=hold_id, gateway=self.processor.name).exists()

    def _compare_refund(self, entry: RefundEntry) -> Iterator[Difference]:
        pk = own_id(entry.key, "refund")
        made = Refund.objects.filter(pk=pk).first() if pk else refund.adopted(entry.ref, self.processor.name)
        if made is None:
            if entry.state == "failed":
                return
            what = f"Refund {entry.ref} of {entry.amount_minor} (minor units) is not in our books."
            if pk is None:
                yield self._differs(what, lambda: refund.adopt(entry=entry, gateway_name=self.processor.name) or False)
            else:
                yield self._differs(what)
            return
        part = next((part for part in made.parts if part["ref"] == entry.ref), None)
        if part is None:
            if made.state == Refund.State.PENDING:
                return  # it is followed below
            yield self._differs(f"Refund {made.pk} was given back as {entry.ref}, which its row does not know.")
        elif part["amount_minor"] != entry.amount_minor:
            amounts = f"{entry.amount_minor} there and {part['amount_minor']} here, in minor units"
            yield self._differs(f"Refund {made.pk}, {entry.ref}: {amounts}.")
        elif part["state"] != entry.state and made.state != Refund.State.PENDING:
            what = f"Refund {made.pk}, {entry.ref} is {entry.state} there and {part['state']} here."
            yield self._differs(what, lambda: refund.carry_out(made))

    def _follow_refund(self, made: Refund) -> Iterator[Difference]:
        if not all(self._is_ours(part["hold"]) for part in made.parts):
            return
        unasked = made.revision == 0
        if not self.repair:
            if unasked:
                yield self._differs(f"Refund {made.pk} was never asked for.")
            return
        try:
            after = refund.carry_out(made)
        except GatewayError as problem:
            yield Difference(f"Refund {made.pk} is still pending ({problem.sentence}).", repaired=False)
            return
        if unasked or after.state != Refund.State.PENDING:
            yield Difference(f"Refund {made.pk} is {after.state} there and was pending here.", repaired=True)

    # --- disputes ---

    def disputes(self) -> Iterator[Difference]:
        """Disputes: known, and in the state the bank gave them."""
        for seen in self.processor.disputes_since(self.since - CLOCKS_APART):
            row = Dispute.objects.filter(gateway=self.processor.name, gateway_ref=seen.ref).first()
            if row is None:
                yield self._differs(f"Dispute {seen.ref} is not in our books.", lambda seen=seen: self._dispute(seen))  # type: ignore[misc]
            elif row.state != seen.state:
                what = f"Dispute {seen.ref} is {seen.state} there and {row.state} here."
                yield self._differs(what, lambda seen=seen: self._dispute(seen))  # type: ignore[misc]

    def _dispute(self, seen: GatewayDispute) -> bool:
        return disputes.write_down(seen=seen, gateway_name=self.processor.name) is not None

    # --- payouts ---

    def payouts(self) -> Iterator[Difference]:
        """Payouts: in both books, with the same amounts, and what was taken back of them."""
        seen = set()
        for entry in self.processor.transfers_since(self.since - CLOCKS_APART):
            pk = own_id(entry.key, "payout")
            payout = Payout.objects.filter(pk=pk).select_related("account", "expert").first() if pk else None
            if payout is None:
                amount = format_money(entry.amount_minor, entry.currency)
                yield self._differs(f"Transfer {entry.ref} of {amount} is not in our books.")
                continue
            seen.add(payout.pk)
            if payout.created_at < self.settled_before:
                yield from self._compare_payout(payout, entry)
        ours = Payout.objects.filter(
            account__gateway=self.processor.name, created_at__gte=self.since, created_at__lt=self.settled_before
        )
        for payout in ours.exclude(pk__in=seen).exclude(state=Payout.State.FAILED):
            if payout.state == Payout.State.PAID:
                yield self._differs(f"Payout {payout.pk} ({payout}) is paid here and unknown there.")
            else:
                what = f"Payout {payout.pk} ({payout}) is still on its way here and unknown there."
                yield self._differs(what, lambda payout=payout: payouts.carry_out(payout, self.now))  # type: ignore[misc]

    def _compare_payout(self, payout: Payout, entry: TransferEntry) -> Iterator[Difference]:
        if (entry.amount_minor, entry.currency) != (payout.amount_minor, payout.currency):
            amount = format_money(entry.amount_minor, entry.currency)
            yield self._differs(f"Payout {payout.pk} ({payout}) was {amount} there.")
            return
        if payout.state != Payout.State.PAID:
            what = f"Payout {payout.pk} ({payout}) is paid there and {payout.state} here."
            yield self._differs(what, lambda: payouts.record_paid(payout, entry.ref))
        if entry.reversed_minor != payout.reversed_minor:
            what = f"Payout {payout.pk} ({payout}): {entry.reversed_minor} (minor units) was taken back there."
            yield self._differs(what, lambda: payouts.record_reversal(payout, entry.reversed_minor))

    # --- the ledger ---

    def ledger(self) -> Iterator[Difference]:
        """Payments of the time: what the ledger says is what the rows say."""
        decided = Payment.objects.filter(closed_at__gte=self.since, closed_at__lt=self.settled_before)
        for payment in decided.filter(holds__gateway=self.processor.name).distinct():
            recount(payment)
            returned = returned_of(payment)
            booked = -sum(posting.customer for posting in payment.postings.all())
            if booked != payment.charged_minor - returned.total_minor:
                yield self._differs(f"Payment {payment.pk}: the ledger says {booked}, its rows say otherwise (minor units).")
            captured = sum(hold.captured_minor for hold in payment.holds.all())
            if payment.state == Payment.State.CHARGED and captured != payment.charged_minor:
                yield self._differs(
                    f"Payment {payment.pk}: {captured} was captured and {payment.charged_minor} charged (minor units)."
                )


def _named(hold: Hold) -> str:
    return f"Hold {hold.pk} ({format_money(hold.amount_minor, hold.payment.currency)}, {hold.gateway_ref or 'unnamed'})"


def _finish(payment: Payment) -> bool:
    return capture.carry_out(payment).state != Payment.State.CAPTURING
