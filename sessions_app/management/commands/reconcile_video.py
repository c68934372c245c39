"""`manage.py reconcile_video`: our calls against the video service's list of who was in them."""

from collections.abc import Sequence
from datetime import datetime

from django.core.management.base import CommandError

from billing.reconcile import Difference
from billing.reconcile.command import ReconcileCommand
from sessions_app.video.reconcile import DAYS, reconcile
from sessions_app.video.service import VideoUnavailable


class Command(ReconcileCommand):
    days = DAYS
    # A year: the service keeps its lists no longer.
    most_days = 365
    help = (
        "Compares the calls of the last days that went through Twilio rooms with Twilio's list of who was in them, prints "
        "what differs, and repairs what is safe: rooms nobody needs are ended, what lost callbacks would have told is "
        "written down. No bill is changed. Exit status: 0 when all agreed, 1 when something differed (repaired or not; run "
        "it again to see what is left), 2 when Twilio did not answer."
    )

    def compare(self, *, since: datetime, now: datetime, repair: bool) -> Sequence[Difference]:
        try:
            return reconcile(since=since, now=now, repair=repair)
        except VideoUnavailable as problem:
            raise CommandError(f"The calls could not be compared: {problem}", returncode=2) from problem
