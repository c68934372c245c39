"""What the job worker does for a session: look at it again when something may be due, and mail."""

from uuid import UUID

from django.core.mail import mail_managers
from django.db import transaction
from django.utils import timezone
from huey.contrib.djhuey import db_task

from sessions_app.due import next_due
from sessions_app.models import HelpSession


@db_task(retries=3, retry_delay=5)  # type: ignore[untyped-decorator]  # huey carries no types
def look_again(session_id: str) -> None:
    """Do what is due for one session."""
    from sessions_app.timeouts import enforce  # late: what it does sets this very job again

    enforce(session_id=UUID(session_id), now=timezone.now())


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_operators(subject: str, text: str) -> None:
    """Mail everybody in settings.MANAGERS; a mail server out of reach is tried again, and keeps nobody waiting."""
    mail_managers(" ".join(subject.split()), text)


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_answer(case_id: str) -> None:
    """Mail the answer of a report to who wrote it, once."""
    from sessions_app.answer import mail_answer_of  # late: what answers sets this very job

    mail_answer_of(UUID(case_id))


def look_again_when_due(session: HelpSession) -> None:
    """Set a job for the moment the session's next time-out is due. Losing it does no harm: the sweep asks too."""
    due = next_due(session, timezone.now())
    if due is not None:
        transaction.on_commit(lambda: look_again.schedule(args=(str(session.pk),), eta=due.at), robust=True)
