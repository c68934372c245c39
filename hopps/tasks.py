"""Jobs any part of Hopps may ask for. huey finds this module by its name."""

import logging

from django.core.mail import mail_managers
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from hopps.backups import nightly
from hopps.jobs import alone

logger = logging.getLogger(__name__)


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]  # huey carries no types
def mail_operators(subject: str, text: str) -> None:
    """Mail everybody in settings.MANAGERS; a mail server out of reach is tried again, and keeps nobody waiting."""
    mail_managers(" ".join(subject.split()), text)


# Again each hour until there is one: a worker that was down at two, or a place that was full, costs no night.
@db_periodic_task(crontab(minute="23", hour="2-5"))  # type: ignore[untyped-decorator]
def back_up_nightly() -> None:
    """Back up, and tell operators where that failed."""
    if nightly.is_wanted():
        _tell_if_it_fails("backup", "--nightly", subject="There is no backup of tonight")


@db_periodic_task(crontab(minute="41", hour="5", day_of_week="0"))  # type: ignore[untyped-decorator]
def verify_weekly() -> None:
    """Restore the newest backup aside, and tell operators where it is not good."""
    if nightly.is_wanted():
        _tell_if_it_fails("restore", "--verify", subject="The newest backup is not good")


def _tell_if_it_fails(*arguments: str, subject: str) -> None:
    with alone("backup") as mine:
        if not mine:
            return
        try:
            nightly.run(*arguments)
        except nightly.Failed as problem:
            logger.error("manage.py %s: %s", " ".join(arguments), problem)
            mail_operators(subject, f"`manage.py {' '.join(arguments)}` failed:\n\n{problem}\n")
