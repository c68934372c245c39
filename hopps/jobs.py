"""Jobs run on huey: a queue in a SQLite file by default, in Redis where `REDIS_URL` is set.

A job is a hint: what is due is decided from the database when it runs, and a sweep finds what a lost job left behind.
"""

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

logger = logging.getLogger(__name__)

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
    EmbeddedConsumer(HUEY, workers=settings.HUEY_WORKERS, worker_type="thread", scheduler_interval=1).start()
    logger.info("Jobs run in this process")


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Say whether nobody else on this machine is doing `name` now, and keep others from it meanwhile.

    A lock of the operating system: whoever dies lets go of it. For work that does no harm when done twice, and only should
    not pile up while an outside service hangs.
    """
    with (Path(settings.VAR_DIR) / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
