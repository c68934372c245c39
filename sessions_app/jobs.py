"""What the job worker does for a session: look at it again when something may be due."""

from uuid import UUID

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


def look_again_when_due(session: HelpSession) -> None:
    """Set a job for the moment the session's next time-out is due. Losing it does no harm: the sweep asks too."""
    due = next_due(session, timezone.now())
    if due is not None:
        transaction.on_commit(lambda: look_again.schedule(args=(str(session.pk),), eta=due.at), robust=True)
