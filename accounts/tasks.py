"""Periodic jobs about people. huey finds this module by its name."""

from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from accounts import consent_mails, delivery, expert_mails, jobs
from accounts.applying import remind_of_waiting
from accounts.erasing import heal_erasures
from accounts.photos import sweep_photos
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
    for consent in consent_mails.untold(now):
        jobs.mail_texts_ended(str(consent.pk))


@db_periodic_task(crontab(minute="53"))  # type: ignore[untyped-decorator]
def tell_experts_hourly() -> None:
    """Set the mails about decisions and suspensions that were lost. Each goes out once, however often it is set."""
    for expert_id, decided_at in expert_mails.untold(timezone.now()):
        jobs.mail_decisions(str(expert_id), decided_at.isoformat())
    for expert_id in expert_mails.untold_of_suspension():
        jobs.mail_suspension(str(expert_id))


@db_periodic_task(crontab(minute="41", hour="6"))  # type: ignore[untyped-decorator]
def remind_operators_daily() -> None:
    """Mail operators who waits for a decision, if anybody does: a mail about a new application may be lost."""
    remind_of_waiting()


@db_periodic_task(crontab(minute="50", hour="3"))  # type: ignore[untyped-decorator]
def sweep_photos_nightly() -> None:
    """Delete photos that are nobody's any more."""
    with alone("sweep_photos") as mine:
        if mine:
            sweep_photos(now=timezone.now())


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def finish_erasing_every_minute() -> None:
    """Finish deleting accounts where a job was lost, or somebody else did not answer."""
    with alone("erasing") as mine:
        if mine:
            heal_erasures(timezone.now())
