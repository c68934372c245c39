"""What billing tells outward, and what it means for a help session."""

from typing import Any

from django.dispatch import receiver

from billing.evidence import EvidenceLine
from billing.models import Payment, Refund
from billing.release import release
from billing.signals import evidence_asked, hold_placed, payment_charged, payment_refunded
from hopps.money import format_money
from sessions_app import live
from sessions_app.ask import go_live
from sessions_app.evidence import evidence_of
from sessions_app.extend import raise_cap
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.never_worked import never_connected
from sessions_app.timeline import record


@receiver(hold_placed)
def hold_was_placed(payment: Payment, **_: Any) -> None:
    """The first hold puts the request in front of experts; a further one raises the cap of the running session."""
    session = HelpSession.objects.with_people().get(pk=payment.reference)
    if session.state == State.DRAFT:
        go_live(session.pk)
    elif session.state == State.ACTIVE:
        raise_cap(session=session)
    elif session.is_over:
        # The bank took longer than the session: what it held now is held for nothing.
        release(reference=payment.reference)


@receiver(payment_charged)
def card_was_charged(payment: Payment, **_: Any) -> None:
    """Say so on the timeline, nothing included."""
    session = HelpSession.objects.get(pk=payment.reference)
    if payment.charged_minor:
        note = format_money(payment.charged_minor, payment.currency)
    elif never_connected(session):
        note = "the call never connected, so nothing is charged"
    else:
        note = "nothing to pay"
    record(session, TimelineEntry.Kind.CHARGED, note=note)


@receiver(payment_refunded)
def payment_was_refunded(refund: Refund, **_: Any) -> None:
    """Say so on the timeline and on both receipts."""
    session = HelpSession.objects.get(pk=refund.payment.reference)
    amount = format_money(refund.amount_minor, refund.payment.currency)
    record(session, TimelineEntry.Kind.REFUNDED, by=refund.by, note=f"{amount}: {refund.reason}")
    live.session_changed(session)


@receiver(evidence_asked)
def evidence_was_asked(payment: Payment, **_: Any) -> list[EvidenceLine]:
    """Say what happened in the session a payment is for."""
    session = HelpSession.objects.with_people().filter(pk=payment.reference).first()
    return evidence_of(session) if session is not None else []
