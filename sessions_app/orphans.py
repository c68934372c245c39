"""Each night: stored bytes that no chat knows of are deleted, and files whose bytes are gone are told to the log."""

from datetime import datetime, timedelta

from hopps.left_behind import sweep_folder
from sessions_app.models import ChatFile

# As far back as the sweep looks; it comes every night.
DAYS = 7


def sweep_uploads(*, now: datetime) -> None:
    """Look through what was stored in the last days up to `now` (UTC). Safe to repeat."""
    for back in range(DAYS):
        _sweep_day(f"{now - timedelta(days=back):%Y-%m-%d}", now)


def _sweep_day(day: str, now: datetime) -> None:
    rows = ChatFile.objects.filter(stored_as__startswith=f"{day}/")
    sweep_folder(day, named=lambda: set(rows.all().values_list("stored_as", flat=True)), named_as="in a chat", now=now)
