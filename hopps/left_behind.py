"""Stored files that no row names are deleted; rows whose file is gone are told to the log. Each app says whose they are."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.files.storage import storages

logger = logging.getLogger(__name__)

# Bytes are stored before their row is written; what is older than this belongs to nobody.
GRACE = timedelta(hours=1)


def sweep_folder(folder: str, *, named: Callable[[], set[str]], named_as: str, now: datetime) -> None:
    """Look through one folder of the storage "uploads". Safe to repeat.

    Args:
        folder: without a slash at its end.
        named: returns the names in that folder that rows have, such as `photos/1f2e`; asked twice.
        named_as: what such a file is, as the log says it: "in a chat".
        now: UTC; what was stored within GRACE before is left alone.
    """
    storage = storages["uploads"]
    # Rows first: what is stored after that is too young to be taken for left behind.
    rows = named()
    try:
        stored = {f"{folder}/{name}" for name in storage.listdir(folder)[1]}
    except FileNotFoundError:
        stored = set()
    for name in sorted(stored - rows):
        if storage.get_modified_time(name) < now - GRACE:
            storage.delete(name)
            logger.info("%s is not %s and was deleted", name, named_as)
    missing = rows - stored
    if missing:
        # One whose row went meanwhile is not.
        missing &= named()
    for name in sorted(missing):
        logger.error("%s is %s and no longer in the storage", name, named_as)
