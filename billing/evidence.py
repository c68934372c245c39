"""All that is known about what a payment was for: for operators who answer a report or a dispute."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from billing.models import Dispute, Hold, Payment, Refund
from billing.signals import evidence_asked
from hopps.money import format_money


@dataclass(frozen=True)
class EvidenceLine:
    """One thing that happened: `at` a moment in UTC, by `who`, and `what` in words."""

    at: datetime
    who: str
    what: str


def evidence_for(payment: Payment) -> list[EvidenceLine]:
    """Return what happened, oldest first: the money's side of it, and what those know whom the payment is for."""
    lines = list(_money_lines(payment))
    for _, answer in evidence_asked.send_robust(sender=Payment, payment=payment):
        if isinstance(answer, Exception):
            lines.append(EvidenceLine(timezone.now(), "Hopps", "A part of this list could not be read. Tell an engineer."))
        else:
            lines.extend(answer)
    return sorted(lines, key=lambda line: line.at)


def as_text(payment: Payment, lines: list[EvidenceLine]) -> str:
    """Return the evidence as plain text, to copy into a processor's form. Times are UTC."""
    head = f"{payment.description}\nCustomer: {payment.payer} <{payment.payer.email}>\nReference: {payment.reference}\n"
    body = [f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  {line.who}: {line.what}" for line in lines]
    return "\n".join([head, *body]) + "\n"


def _money_lines(payment: Payment) -> Iterator[EvidenceLine]:
    def money(minor: int) -> str:
        return format_money(minor, payment.currency)

    payer = f"{payment.payer} (customer)"
    for hold in payment.holds.select_related("card"):
        yield EvidenceLine(hold.created_at, payer, f"{money(hold.amount_minor)} on {_card(hold)}: {_hold_state(hold)}.")
    if payment.closed_at is not None:
        charged = f"{money(payment.charged_minor)} charged" if payment.charged_minor else "nothing charged"
        done = payment.state in (Payment.State.CHARGED, Payment.State.RELEASED)
        state = "" if done else f" ({payment.get_state_display().lower()})"
        yield EvidenceLine(payment.closed_at, "Hopps", f"The bill was made: {charged}{state}.")
    for made in payment.refunds.select_related("by"):
        by = str(made.by) if made.by_id else "Hopps"
        state = "" if made.state == Refund.State.SUCCEEDED else f" ({made.get_state_display().lower()})"
        yield EvidenceLine(made.created_at, by, f"{money(made.amount_minor)} given back{state}: {made.reason}")
    for dispute in payment.disputes.all():
        yield EvidenceLine(dispute.opened_at, "The bank", f"Disputes {money(dispute.amount_minor)}: {dispute.reason}.")
        if dispute.closed_at is not None:
            yield EvidenceLine(dispute.closed_at, "The bank", f"The dispute is closed: {_outcome(dispute)}.")


def _card(hold: Hold) -> str:
    return str(hold.card) if hold.card is not None else "a card"


def _hold_state(hold: Hold) -> str:
    if hold.state == Hold.State.DECLINED:
        return f"not held, {hold.problem or 'declined'}".rstrip(".")
    if hold.state == Hold.State.PENDING:
        return "hold asked for"
    return "held" if hold.was_placed else "asked for, and never held"


def _outcome(dispute: Dispute) -> str:
    return dispute.get_state_display().lower()
