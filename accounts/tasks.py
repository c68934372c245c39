"""Periodic jobs about people. huey finds this module by its name."""

from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from accounts import delivery, jobs
from accounts.consent_mails import untold
from hopps.each import look_after
from hopps.jobs import alone
from hopps.sending import NotTaken

# One that does not answer keeps the rest waiting for so long and no longer.
SECONDS = 120.0


@db_periodic_task(crontab(minute="23"))  # type: ignore[untyped-decorator]  # huey carries no types
def ask_about_texts_hourly() -> None:
    """Ask about texts whose callback was lost, and set the mails that were."""
    now = timezone.now()
    with alone("texts") as mine:
        if mine:
            texts = delivery.unreported(now)
            look_after(texts, delivery.look_into, name="Text", quiet=(NotTaken,), seconds=SECONDS)
    for consent in untold(now):
        jobs.mail_texts_ended(str(consent.pk))
