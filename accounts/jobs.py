"""What the job worker does for a person. `accounts.tasks` is where huey finds it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from huey.contrib.djhuey import db_task

from accounts import expert_mails
from accounts.models import ExpertProfile

MailJob = Callable[[str, str], object]


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]  # huey carries no types
def mail_decisions(expert_id: str, decided_at: str) -> None:
    """Mail an applicant what was decided at that moment, once."""
    expert_mails.mail_decisions(_expert(expert_id), datetime.fromisoformat(decided_at))


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_suspended(expert_id: str, moment: str) -> None:
    """Mail an expert that they are suspended, once."""
    expert_mails.mail_suspended(_expert(expert_id), datetime.fromisoformat(moment))


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_lifted(expert_id: str, moment: str) -> None:
    """Mail an expert that the suspension is over, once."""
    expert_mails.mail_lifted(_expert(expert_id), datetime.fromisoformat(moment))


def _expert(expert_id: str) -> ExpertProfile:
    return ExpertProfile.objects.select_related("user").get(pk=UUID(expert_id))
