"""Mails about money, to the customer: the receipt, a refund, a card that could not be charged. Each goes out once."""

from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse

from accounts.mail import send_once
from billing.models import Refund
from hopps.http import public_url
from hopps.money import format_money
from sessions_app import receipts
from sessions_app.models import HelpSession


def mail_receipt(session: HelpSession) -> bool:
    """Mail the receipt of a charged session with the PDF; return whether it went out now.

    Nothing is mailed where nothing was charged, or not yet.

    Args:
        session: with its people and topic.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    receipt = receipts.find(session)
    if receipt is None or receipt.state != "charged":
        return False
    return _mail(
        session,
        receipt,
        key=receipt_key(session.pk),
        subject=f"Receipt: {receipt.charged} for {receipt.title}",
        text="receipt",
    )


def mail_refund(refund: Refund) -> bool:
    """Mail that a refund is made or on its way, with the new receipt; return whether it went out now.

    Args:
        refund: with its payment.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    session = HelpSession.objects.with_people().get(pk=refund.payment.reference)
    receipt = receipts.find(session)
    line = next((line for line in receipt.refunds if line.id == str(refund.pk)), None) if receipt else None
    if receipt is None or line is None:  # it failed meanwhile: nothing comes back
        return False
    amount = format_money(line.amount_minor, line.currency)
    subject = f"Refund: {amount} for {receipt.title}"
    context = {"line": line, "amount": amount}
    return _mail(session, receipt, key=refund_key(refund.pk), subject=subject, text="refund", **context)


def mail_charge_failed(session: HelpSession) -> bool:
    """Mail that the card could not be charged, or not all of it, and what happens now; return whether it went out now.

    Args:
        session: with its people and topic.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    receipt = receipts.find(session)
    if receipt is None or not receipt.given_up_minor:  # charged meanwhile
        return False
    refused = [use for use in receipt.cards if not use.charged_minor] or list(receipt.cards)
    cards = [use.card for use in refused if use.rest == "held"] or [use.card for use in refused]
    text = render_to_string(
        "sessions/mail/charge_failed.txt",
        {
            "receipt": receipt,
            "had": format_money(had, receipt.currency) if (had := receipt.due_minor - receipt.given_up_minor) else "",
            "card": " and ".join(dict.fromkeys(cards)) or "your card",
            "page": public_url(receipt.path),
            "cards_page": public_url(reverse("billing")),
        },
    )
    subject = f"We could not charge your card: {receipt.title}"
    return send_once(key=charge_failed_key(session.pk), to=session.customer, subject=subject, text=text)


def mail_refund_failed(refund: Refund) -> bool:
    """Mail that the bank did not take what was given back; return whether it went out now.

    Args:
        refund: with its payment.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    session = HelpSession.objects.with_people().get(pk=refund.payment.reference)
    receipt = receipts.find(session)
    if receipt is None:
        return False
    missing = refund.amount_minor - refund.standing_minor
    amount = format_money(missing, refund.payment.currency)
    text = render_to_string(
        "sessions/mail/refund_failed.txt", {"receipt": receipt, "amount": amount, "page": public_url(receipt.path)}
    )
    return send_once(
        key=f"refund-failed:{refund.pk}:{missing}",
        to=session.customer,
        subject=f"Your refund did not arrive: {receipt.title}",
        text=text,
    )


def receipt_key(session_id: UUID) -> str:
    """Return what the receipt's mail is known by."""
    return f"receipt:{session_id}"


def refund_key(refund_id: UUID) -> str:
    """Return what a refund's mail is known by."""
    return f"refund:{refund_id}"


def charge_failed_key(session_id: UUID) -> str:
    """Return what the mail of a failed charge is known by."""
    return f"charge-failed:{session_id}"


def is_underway(refund: Refund) -> bool:
    """Whether a refund succeeded, or is pending at the bank: what the processor has not taken yet may still be refused."""
    if refund.state == Refund.State.PENDING:
        return bool(refund.parts) and all(part.get("ref") for part in refund.parts)
    return refund.state == Refund.State.SUCCEEDED


def _mail(session: HelpSession, receipt: receipts.Receipt, *, key: str, subject: str, text: str, **context: object) -> bool:
    from sessions_app import receipt_pdf  # late: half a second of libraries

    body = render_to_string(f"sessions/mail/{text}.txt", {"receipt": receipt, "page": public_url(receipt.path), **context})
    pdf = (receipt_pdf.file_name(receipt), receipt_pdf.render(receipt), "application/pdf")
    return send_once(key=key, to=session.customer, subject=subject, text=body, attachment=pdf)
