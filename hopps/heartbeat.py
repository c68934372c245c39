"""A sign of life of the job workers, left where the jobs are: in huey's SQLite file, or in Redis."""

import logging
import threading
import time
from pathlib import Path

from django.conf import settings
from huey.constants import EmptyData
from huey.contrib.djhuey import HUEY

from hopps.worker_healthcheck import DEAD_AFTER_SECONDS, FILE

__all__ = ["DEAD_AFTER_SECONDS", "age", "keep_leaving", "leave"]

logger = logging.getLogger(__name__)

KEY = "hopps.heartbeat"
EVERY_SECONDS = 5.0

_started = threading.Lock()


def leave() -> None:
    """Say that a worker is alive now: first on this machine, then to who asks for the queue's."""
    (Path(settings.VAR_DIR) / FILE).touch()
    HUEY.storage.put_data(KEY, str(time.time()).encode())


def age() -> float | None:
    """Return for how many seconds no worker has given a sign of life; None where none ever did."""
    left = HUEY.storage.peek_data(KEY)
    return None if left is EmptyData else max(0.0, time.time() - float(left))


def keep_leaving() -> None:
    """Leave a sign of life every few seconds for as long as this process lives; the first at once. Once a process."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_beat, name="heartbeat", daemon=True).start()


def _beat() -> None:
    well = True
    while True:
        try:
            leave()
            well = True
        except Exception as problem:
            # Where the queue is away, huey says so again and again; here once is enough.
            if well:
                logger.warning("No sign of life could be left: %s", problem)
            well = False
        time.sleep(EVERY_SECONDS)
