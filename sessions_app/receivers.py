"""What billing and accounts tell upward, and what it means for a help session."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse

from accounts.models import Block, Suspension, User
from accounts.signals import person_blocked, person_suspended, person_unblocked
from billing.capture import captured_minor
from billing.evidence import EvidenceLine
from billing.holds import is_held
from billing.models import Dispute, Payment, Refund
from billing.signals import (
    dispute_changed,
    evidence_asked,
    hold_lapsed,
    hold_placed,
    payment_charged,
    payment_flagged,
    payment_refunded,
    refund_failed,
)
from hopps.http import public_url
from hopps.money import format_money
from hopps.tasks import mail_operators
from sessions_app import jobs, keep_apart, live, suspended
from sessions_app.ask import go_live
from sessions_app.cancel import call_off_unheld
from sessions_app.evidence import evidence_of
from sessions_app.extend import raise_cap
from sessions_app.give_back import give_back
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
    elif session.state in (State.CANCELLED, State.EXPIRED):
        # The bank took longer than the request stood: what it held now is held for nothing.
        give_back(payment.reference)
    # An ended session is paid from what is held: capture takes what is due and gives the rest back, this hold's too.


@receiver(hold_lapsed)
def hold_has_lapsed(payment: Payment, **_: Any) -> None:
    """Without a hold the request is not in front of experts any more."""
    if not is_held(payment.reference):
        call_off_unheld(session_id=payment.reference)


@receiver(payment_charged)
def card_was_charged(payment: Payment, **_: Any) -> None:
    """Say so on the timeline, nothing included, and mail the receipt of what was charged."""
    session = HelpSession.objects.get(pk=payment.reference)
    if payment.charged_minor:
        note = format_money(payment.charged_minor, payment.currency)
    elif never_connected(session):
        note = "the call never connected, so nothing is charged"
    else:
        note = "nothing to pay"
    record(session, TimelineEntry.Kind.CHARGED, note=note)
    live.session_changed(session)
    if payment.charged_minor:
        transaction.on_commit(lambda: jobs.mail_receipt(str(session.pk)), robust=True)


@receiver(payment_refunded)
def payment_was_refunded(refund: Refund, **_: Any) -> None:
    """Say so on the timeline, on both receipts and by mail."""
    session = HelpSession.objects.get(pk=refund.payment.reference)
    amount = format_money(refund.amount_minor, refund.payment.currency)
    record(session, TimelineEntry.Kind.REFUNDED, by=refund.by, note=f"{amount}: {refund.reason}")
    live.session_changed(session)
    transaction.on_commit(lambda: jobs.mail_refund(str(refund.pk)), robust=True)


@receiver(payment_flagged)
def charge_failed_for_good(payment: Payment, **_: Any) -> None:
    """Tell the customer plainly, and the operators, who have to do something about it."""
    session = HelpSession.objects.with_people().get(pk=payment.reference)
    due, had = payment.due_minor or 0, captured_minor(payment)
    amount = format_money(due - had, payment.currency)
    page = public_url(reverse("admin:billing_payment_change", args=[payment.pk]))
    rest = f" {format_money(had, payment.currency)} of {format_money(due, payment.currency)} was." if had else ""
    text = (
        f"{amount} for “{session.title}” could not be charged to {session.customer} ({session.customer.email}), "
        f"tried {payment.attempts} times.{rest} What the processor said: {payment.problem or 'nothing'}\n\n{page}\n"
    )
    live.session_changed(session)
    transaction.on_commit(lambda: jobs.mail_charge_failed(str(session.pk)), robust=True)
    transaction.on_commit(lambda: mail_operators(f"Charge failed: {amount}, {session.title}", text), robust=True)


@receiver(refund_failed)
def refund_did_not_arrive(refund: Refund, **_: Any) -> None:
    """Tell the customer and the operators, who have to find another way."""
    session = HelpSession.objects.with_people().get(pk=refund.payment.reference)
    amount = format_money(refund.amount_minor - refund.standing_minor, refund.payment.currency)
    page = public_url(reverse("admin:billing_payment_change", args=[refund.payment_id]))
    text = (
        f"{amount} given back to {session.customer} ({session.customer.email}) for “{session.title}” did not arrive: "
        f"the bank sent it back. What the processor said: {refund.problem or 'nothing'}\n\n{page}\n"
    )
    record(session, TimelineEntry.Kind.REFUNDED, note=f"{amount} of it did not arrive; an operator looks at it")
    live.session_changed(session)
    transaction.on_commit(lambda: jobs.mail_refund_failed(str(refund.pk)), robust=True)
    transaction.on_commit(lambda: mail_operators(f"A refund did not arrive: {amount}, {session.title}", text), robust=True)


@receiver(dispute_changed)
def bank_disputes_the_charge(dispute: Dispute, **_: Any) -> None:
    """Put it on the timeline, and tell the operators what is due when."""
    session = HelpSession.objects.with_people().get(pk=dispute.payment.reference)
    amount = format_money(dispute.amount_minor, dispute.payment.currency)
    state = dispute.get_state_display()
    page = public_url(reverse("admin:billing_dispute_change", args=[dispute.pk]))
    due = f"Answer by {dispute.answer_by:%-d %B %Y, %H:%M} UTC.\n" if dispute.answer_by and not dispute.closed_at else ""
    text = (
        f"{session.customer} ({session.customer.email}) disputes {amount} for “{session.title}” at the bank: "
        f"{dispute.reason}.\nIt stands: {state.lower()}.\n{due}\nThe evidence: {page}\n"
    )
    # The bank's reason is for operators: both sides read this, and "fraudulent" is no word to greet a customer with.
    record(session, TimelineEntry.Kind.DISPUTED, note=f"{amount}, {state.lower()}")
    transaction.on_commit(lambda: mail_operators(f"Dispute, {state.lower()}: {amount}, {session.title}", text), robust=True)


@receiver(evidence_asked)
def evidence_was_asked(payment: Payment, **_: Any) -> list[EvidenceLine]:
    """Say what happened in the session a payment is for."""
    session = HelpSession.objects.with_people().filter(pk=payment.reference).first()
    return evidence_of(session) if session is not None else []


@receiver(person_blocked)
def somebody_was_blocked(block: Block, **_: Any) -> None:
    """The two do not meet in what is open either."""
    keep_apart.block_was_made(block)


@receiver(person_unblocked)
def somebody_was_unblocked(by: User, person: User, **_: Any) -> None:
    """The two may meet again."""
    keep_apart.block_was_taken_back(by, person)


@receiver(person_suspended)
def somebody_was_suspended(suspension: Suspension, **_: Any) -> None:
    """Nothing of theirs stays open."""
    suspended.put_out(user=suspension.user, by=suspension.by)
