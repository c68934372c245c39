"""The job queue on Redis: putting a job in never fails or waits for long, and periodic jobs run once (decision 0021)."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from huey import Huey, RedisHuey
from huey.consumer import Scheduler
from huey.storage import RedisStorage
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Redis that takes longer to answer counts as out of reach, in seconds.
ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 0.5
# More jobs than this are not kept while Redis is away: the sweep finds what they were for.
MOST_KEPT = 10_000
# Periodic jobs of so many minutes past are still set, where nobody could set them in time.
LOOK_BACK = timedelta(minutes=10)
CLAIMED_SECONDS = 60 * 60


class PatientStorage(RedisStorage):  # type: ignore[misc]  # huey carries no types
    """Jobs in Redis. What it does not take is kept in this process, and put in as soon as it does.

    Where Redis took a job and could not say so, the job is there twice: each looks first whether there is anything to do.
    """

    def __init__(self, name: str, *, url: str) -> None:
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        # Asked for a job, Redis waits for one for a second; that must be less than the time-out.
        super().__init__(name, connection_pool=pool, read_timeout=1)
        self._kept: deque[Callable[[], object]] = deque()
        self._putting = threading.Lock()

    def enqueue(self, data: bytes, priority: int | None = None) -> None:
        """Put a job into the queue."""
        self._put(partial(super().enqueue, data, priority))

    def add_to_schedule(self, data: bytes, ts: datetime) -> None:
        """Set a job for `ts` (UTC)."""
        self._put(partial(super().add_to_schedule, data, ts))

    def _put(self, put: Callable[[], object]) -> None:
        # While some are kept, Redis is away: nobody waits for another time-out.
        if not self._kept:
            try:
                put()
            except RedisError as problem:
                logger.warning("Jobs are kept in this process until Redis takes them: %s", problem)
            else:
                return
        with self._putting:
            if len(self._kept) >= MOST_KEPT:
                logger.error("A job is not kept: there are %d already. The sweep finds what it was for.", MOST_KEPT)
                return
            self._kept.append(put)
            if len(self._kept) == 1:
                threading.Thread(target=self._put_kept, name="kept jobs", daemon=True).start()

    def _put_kept(self) -> None:
        while True:
            try:
                self._kept[0]()
            except RedisError:
                time.sleep(AGAIN_SECONDS)
                continue
            except Exception:
                # With this thread all jobs after it would be kept for good.
                logger.exception("A job is not kept. The sweep finds what it was for.")
            with self._putting:
                self._kept.popleft()
                if not self._kept:
                    return


class RedisQueue(RedisHuey):  # type: ignore[misc]
    """huey on `PatientStorage`."""

    storage_class = PatientStorage

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._token = uuid4().hex.encode()

    def claim(self, run: str) -> bool:
        """Return whether this process is the one that sets the periodic job `run` ("name minute"). Raises RedisError."""
        key, redis = f"hopps.periodic.{run}", self.storage.conn
        # Asked again, because the answer was lost, it is still ours.
        return bool(redis.set(key, self._token, nx=True, ex=CLAIMED_SECONDS)) or redis.get(key) == self._token

    def is_revoked(self, *arguments: Any, **options: Any) -> bool:
        """No job is ever called back here: each looks itself. Not asked of Redis, a job in hand is not lost with it."""
        return False


class PeriodicJobs(Scheduler):  # type: ignore[misc]
    """huey's scheduler, which sets the periodic jobs of each minute once, however many workers there are.

    huey's own looks every 60 seconds of its own clock, in each worker. This one looks each second whether a minute began.
    """

    periodic_task_seconds = 1

    def __init__(self, huey: Huey, *arguments: Any, **options: Any) -> None:
        super().__init__(huey, *arguments, **options)
        # Without Redis there is one worker, and nobody remembers what the one before it has set.
        self._claim: Callable[[str], bool] = getattr(huey, "claim", lambda run: True)
        back = LOOK_BACK if hasattr(huey, "claim") else timedelta(minutes=1)
        self._done = _minute(huey._get_timestamp()) - back

    def enqueue_periodic_tasks(self, now: datetime | None = None) -> None:
        """Set the periodic jobs of the minutes since the last look; each once, if it was due in several of them."""
        this_minute = _minute(now or self.huey._get_timestamp())
        due: dict[str, tuple[datetime, Any]] = {}
        minute = max(self._done, this_minute - LOOK_BACK)
        while minute < this_minute:
            minute += timedelta(minutes=1)
            due |= {job.name: (minute, job) for job in self.huey.read_periodic(minute)}
        try:
            for name, (when, job) in due.items():
                if self._claim(f"{name} {when:%Y-%m-%dT%H:%M}"):
                    self.huey.enqueue(job)
        except RedisError as problem:
            logger.warning("The periodic jobs wait for Redis: %s", problem)
            return
        self._done = this_minute


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
