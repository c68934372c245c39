"""What the job worker does for a session: look at it again when something may be due, and mail."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from huey.contrib.djhuey import db_task

from billing.models import Refund
from sessions_app import answer_mails, receipt_mails
from sessions_app.due import next_due
from sessions_app.models import Case, HelpSession
from sessions_app.settle import settle_when_empty


@db_task(retries=3, retry_delay=5)  # type: ignore[untyped-decorator]  # huey carries no types
def look_again(session_id: str) -> None:
    """Do what is due for one session."""
    from sessions_app.timeouts import enforce  # late: what it does sets this very job again

    enforce(session_id=UUID(session_id), now=timezone.now())


@db_task(retries=3, retry_delay=5)  # type: ignore[untyped-decorator]
def settle_soon(session_id: str) -> None:
    """Make the bill of an ended session if nobody is in its room any more, and charge it: the processor may take long."""
    settle_when_empty(UUID(session_id))


@db_task(retries=2, retry_delay=15)  # type: ignore[untyped-decorator]
def mail_receipt(session_id: str) -> None:
    """Mail the customer the receipt of a charged session, once."""
    receipt_mails.mail_receipt(HelpSession.objects.with_people().get(pk=session_id))


@db_task(retries=2, retry_delay=15)  # type: ignore[untyped-decorator]
def mail_refund(refund_id: str) -> None:
    """Mail the customer that money comes back, once."""
    receipt_mails.mail_refund(Refund.objects.select_related("payment").get(pk=refund_id))


@db_task(retries=2, retry_delay=15)  # type: ignore[untyped-decorator]
def mail_refund_failed(refund_id: str) -> None:
    """Mail the customer that a refund did not arrive, once."""
    receipt_mails.mail_refund_failed(Refund.objects.select_related("payment").get(pk=refund_id))


@db_task(retries=2, retry_delay=15)  # type: ignore[untyped-decorator]
def mail_charge_failed(session_id: str) -> None:
    """Mail the customer that the card could not be charged, once."""
    receipt_mails.mail_charge_failed(HelpSession.objects.with_people().get(pk=session_id))


@db_task()  # type: ignore[untyped-decorator]
def mail_watcher(session_id: str) -> None:
    """Mail one who waits that an expert is there; where the mail server takes nothing, the next minute tries again."""
    from sessions_app.watch import tell_watcher  # late: who is to be told sets this very job

    tell_watcher(session_id=UUID(session_id), now=timezone.now())


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_answer(case_id: str) -> None:
    """Mail the answer of a report to who wrote it, once."""
    related = ("session__customer", "by", "refund__payment")
    answer_mails.mail_answer_of(Case.objects.select_related(*related).get(pk=UUID(case_id)))


def settle_when_committed(session_id: UUID) -> None:
    """Set the job that makes the bill. Losing it does no harm: the job for the end of the goodbyes and the sweep do it."""
    transaction.on_commit(lambda: settle_soon(str(session_id)), robust=True)


def look_again_when_due(session: HelpSession) -> None:
    """Set a job for the moment the session's next time-out is due. Losing it does no harm: the sweep asks too."""
    due = next_due(session, timezone.now())
    if due is not None:
        transaction.on_commit(lambda: look_again.schedule(args=(str(session.pk),), eta=due.at), robust=True)
