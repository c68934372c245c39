"""Each night: stored bytes that no chat knows of are deleted, and files whose bytes are gone are told to the log."""

import logging
from datetime import datetime, timedelta

from django.core.files.storage import storages

from sessions_app.models import ChatFile

logger = logging.getLogger(__name__)

# Bytes are stored before their row is written; what is older than this belongs to nobody.
GRACE = timedelta(hours=1)
# As far back as the sweep looks; it comes every night.
DAYS = 7


def sweep_uploads(*, now: datetime) -> None:
    """Look through what was stored in the last days up to `now` (UTC). Safe to repeat."""
    for back in range(DAYS):
        _sweep_day(f"{now - timedelta(days=back):%Y-%m-%d}", now)


def _sweep_day(day: str, now: datetime) -> None:
    storage = storages["uploads"]
    # Rows first: what is stored after that is too young to be taken for left behind.
    rows = set(ChatFile.objects.filter(stored_as__startswith=f"{day}/").values_list("stored_as", flat=True))
    try:
        stored = {f"{day}/{name}" for name in storage.listdir(day)[1]}
    except FileNotFoundError:
        stored = set()
    for name in sorted(stored - rows):
        if storage.get_modified_time(name) < now - GRACE:
            storage.delete(name)
            logger.info("%s belonged to no chat and was deleted", name)
    for name in sorted(rows - stored):
        logger.error("%s is in a chat and no longer in the storage", name)
