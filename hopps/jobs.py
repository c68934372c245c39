"""Jobs run on huey: a queue in a SQLite file by default, in Redis where `REDIS_URL` is set.

A job is a hint: what is due is decided from the database when it runs, and a sweep finds what a lost job left behind.
"""

import logging
import threading

from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from huey import Huey
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

logger = logging.getLogger(__name__)

# An idle worker looks for a job this often, in seconds: a bill waits for it, and huey's own 10 s would be felt.
POLL_SECONDS = 0.4

_started = threading.Lock()


class EmbeddedConsumer(Consumer):  # type: ignore[misc]  # huey carries no types
    """huey's consumer, run inside the web process: signals stay the web server's."""

    def _set_signal_handlers(self) -> None:
        return


def start_worker_in_this_process() -> None:
    """Start the job worker's threads, once, where the settings ask for it (no Redis: decision 0002)."""
    if not settings.JOBS_IN_WEB_PROCESS or not _started.acquire(blocking=False):
        return
    autodiscover_modules("tasks")
    worker(HUEY).start()
    logger.info("Jobs run in this process")


def worker(queue: Huey) -> EmbeddedConsumer:
    """Return a worker on `queue` for this process, with its threads, not started yet."""
    return EmbeddedConsumer(
        queue, workers=settings.HUEY_WORKERS, worker_type="thread", scheduler_interval=1, max_delay=POLL_SECONDS
    )
