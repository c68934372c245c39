"""Jobs run on huey: a queue in a SQLite file by default, in Redis where `REDIS_URL` is set.

A job is a hint: what is due is decided from the database when it runs, and a sweep finds what a lost job left behind.
"""

import fcntl
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from huey import Huey
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

from hopps.job_queue import PeriodicJobs

logger = logging.getLogger(__name__)

# An idle worker looks for a job this often, in seconds: a bill waits for it, and huey's own 10 s would be felt.
POLL_SECONDS = 0.4

# Jobs under way have so long to end when the worker is told to stop.
STOP_SECONDS = 20.0

_started = threading.Lock()
_embedded: list["EmbeddedWorker"] = []


class JobWorker(Consumer):  # type: ignore[misc]  # huey carries no types
    """huey's consumer: `manage.py run_huey`. Told to stop, by SIGTERM or Ctrl-C, it lets the jobs under way end first."""

    scheduler_class = PeriodicJobs

    def __init__(self, queue: Huey) -> None:
        super().__init__(
            queue,
            workers=settings.HUEY_WORKERS,
            worker_type="thread",
            scheduler_interval=1,
            max_delay=POLL_SECONDS,
            shutdown_timeout=STOP_SECONDS,
        )
        gracefully = (False, True)
        self._signal_actions |= {signal.SIGTERM: gracefully, signal.SIGINT: gracefully}


class EmbeddedWorker(JobWorker):
    """The same inside the web process: signals stay the web server's."""

    def _set_signal_handlers(self) -> None:
        return


def start_worker_in_this_process() -> None:
    """Start the job worker's threads, once, where the settings ask for it (no Redis: decision 0002)."""
    if not settings.JOBS_IN_WEB_PROCESS or not _started.acquire(blocking=False):
        return
    autodiscover_modules("tasks")
    worker = EmbeddedWorker(HUEY)
    worker.start()
    _embedded.append(worker)
    logger.info("Jobs run in this process")


def stop_worker_in_this_process() -> None:
    """Let the jobs under way end, for STOP_SECONDS at most, and begin no other."""
    while _embedded:
        _embedded.pop().stop(graceful=True)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Say whether nobody else on this machine is doing `name` now, and keep others from it meanwhile.

    A lock of the operating system: whoever dies lets go of it. For work that does no harm when done twice, as two machines
    may, and only should not pile up while an outside service hangs.
    """
    with (Path(settings.VAR_DIR) / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
