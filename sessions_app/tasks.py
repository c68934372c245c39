"""Periodic jobs. huey finds this module by its name."""

from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from hopps.jobs import alone
from sessions_app import jobs  # noqa: F401  the worker must know its task
from sessions_app.orphans import sweep_uploads
from sessions_app.reach import jobs as reach_jobs  # noqa: F401
from sessions_app.sweep import sweep
from sessions_app.video import jobs as video_jobs  # noqa: F401
from sessions_app.video.reconcile import reconcile_and_tell


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]  # huey carries no types
def sweep_every_minute() -> None:
    """Find the time-outs whose jobs were lost; not while the minute before is still at it.

    Two at once, on two machines, do no harm: every step is decided by a conditional UPDATE.
    """
    with alone("sweep") as mine:
        if mine:
            sweep(now=timezone.now())


@db_periodic_task(crontab(hour="3", minute="40"))  # type: ignore[untyped-decorator]
def sweep_uploads_every_night() -> None:
    """Delete what was stored for a chat and never came to be in one."""
    with alone("sweep_uploads") as mine:
        if mine:
            sweep_uploads(now=timezone.now())


@db_periodic_task(crontab(minute="27", hour="3"))  # type: ignore[untyped-decorator]
def reconcile_video_nightly() -> None:
    """Compare the calls that went through rooms with the video service's books; operators are told what differed."""
    reconcile_and_tell(timezone.now())
