"""The mail with the answer of a report, to who wrote it. It goes out once."""

from uuid import UUID

from accounts.mail import send_once
from hopps.http import public_url
from hopps.money import format_money
from sessions_app.models import Case


def mail_answer_of(case: Case) -> None:
    """Mail the answer to who reported, once. Nothing is mailed before it is given, nor before a refund of it is made.

    Args:
        case: with its session's customer, who reported, and the refund with its payment.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; try again.
    """
    if case.state == Case.State.OPEN or case.is_unfinished:
        return
    lines = [f"Hello {case.by},", "", f"you reported a problem with “{case.session.title}”:", ""]
    lines += [f"> {line}" for line in case.problem.splitlines()]
    lines += ["", "Our answer:", "", case.answer, ""]
    if case.refund is not None:
        amount = format_money(case.refund.amount_minor, case.refund.payment.currency)
        if case.by_id == case.session.customer_id:
            lines += [f"{amount} goes back to your card. Your bank may take 5 to 10 days to show it.", ""]
        else:
            share = format_money(case.refund.expert_minor, case.refund.payment.currency)
            lines += [f"{amount} goes back to {case.session.customer}; your part of it is {share}.", ""]
    lines += [f"The session: {public_url(case.session.get_absolute_url())}", ""]
    send_once(key=mail_key(case.pk), to=case.by, subject=f"Your report about “{case.session.title}”", text="\n".join(lines))


def mail_key(case_id: UUID) -> str:
    """Return what the mail of an answer is known by."""
    return f"case:{case_id}"
