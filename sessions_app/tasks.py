"""Periodic jobs. huey finds this module by its name."""

from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from sessions_app import jobs  # noqa: F401  the worker must know its task
from sessions_app.sweep import sweep


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]  # huey carries no types
def sweep_every_minute() -> None:
    """Find the time-outs whose jobs were lost. Two at once do no harm: every step is decided by a conditional UPDATE."""
    sweep(now=timezone.now())
