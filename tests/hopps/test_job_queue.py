"""The job queue on a real Redis: nobody waits for it while it is away, nothing is lost, periodic jobs are set once."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from huey import crontab
from huey.consumer import ThreadEnvironment

from hopps.job_queue import PeriodicJobs, RedisQueue
from script.lib.redis_server import RedisServer

SECONDS = 20.0
NINE = datetime(2026, 11, 27, 9, 0, 12)  # noqa: DTZ001  huey counts in UTC without saying so


@pytest.fixture
def make_queue(redis_server: RedisServer) -> Iterator[Callable[[], RedisQueue]]:
    """The queue as each process has it, empty at first."""
    queues: list[RedisQueue] = []

    def make() -> RedisQueue:
        queue = RedisQueue("tests", url=redis_server.url, results=False)
        queues.append(queue)
        return queue

    make().storage.conn.flushdb()
    yield make
    for queue in queues:
        queue.storage.conn.close()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(0.02)


def jobs_of(queue: RedisQueue) -> list[int]:
    """Return what the jobs in the queue were given, in order."""
    return [queue.deserialize_task(data).args[0] for data in queue.storage.enqueued_items()]


def test_jobs_set_while_redis_is_away_are_there_once_it_is_back(
    redis_server: RedisServer, make_queue: Callable[[], RedisQueue]
) -> None:
    queue = make_queue()

    @queue.task()  # type: ignore[untyped-decorator]
    def job(number: int) -> None:
        pass

    job(0)
    redis_server.kill()
    for number in range(1, 50):
        job(number)
    job.schedule((50,), delay=3600)
    redis_server.start_again()
    job(51)

    until(lambda: queue.pending_count() == 52)
    assert sorted(jobs_of(queue)) == list(range(52))


def test_a_redis_that_hangs_is_waited_for_once_and_not_by_every_job(
    redis_server: RedisServer, make_queue: Callable[[], RedisQueue]
) -> None:
    queue = make_queue()

    @queue.task()  # type: ignore[untyped-decorator]
    def job(number: int) -> None:
        pass

    redis_server.freeze()
    try:
        began = time.monotonic()
        for number in range(1000):
            job(number)
        # Had each waited, it would be most of an hour.
        assert time.monotonic() - began < SECONDS
    finally:
        redis_server.thaw()

    until(lambda: set(jobs_of(queue)) == set(range(1000)))


def with_hourly_and_minutely(queue: RedisQueue) -> PeriodicJobs:
    """Give `queue` two periodic jobs, and return its scheduler, started at nine."""

    @queue.periodic_task(crontab(minute="*"), name="minutely")  # type: ignore[untyped-decorator]
    def minutely() -> None:
        pass

    @queue.periodic_task(crontab(minute="1"), name="hourly")  # type: ignore[untyped-decorator]
    def hourly() -> None:
        pass

    scheduler = PeriodicJobs(queue, ThreadEnvironment().get_stop_flag(), 1, True)
    scheduler._done = NINE.replace(second=0)
    return scheduler


def set_now(queue: RedisQueue) -> list[str]:
    """Return the names of the jobs in the queue, and empty it."""
    names = sorted(queue.deserialize_task(data).name for data in queue.storage.enqueued_items())
    queue.storage.flush_queue()
    return names


def test_two_workers_set_each_periodic_job_once(make_queue: Callable[[], RedisQueue]) -> None:
    queues = make_queue(), make_queue()
    workers = [with_hourly_and_minutely(queue) for queue in queues]
    for second in range(0, 180, 7):
        for worker in workers:
            worker.enqueue_periodic_tasks(NINE + timedelta(seconds=second))

    assert set_now(queues[0]) == ["hourly", "minutely", "minutely", "minutely"]


def test_a_worker_started_late_sets_what_nobody_set_and_nothing_again(make_queue: Callable[[], RedisQueue]) -> None:
    queue = make_queue()
    worker, late = with_hourly_and_minutely(queue), with_hourly_and_minutely(make_queue())
    worker.enqueue_periodic_tasks(NINE + timedelta(minutes=5))
    assert set_now(queue) == ["hourly", "minutely"]

    late.enqueue_periodic_tasks(NINE + timedelta(minutes=5, seconds=30))
    assert set_now(queue) == []
    late.enqueue_periodic_tasks(NINE + timedelta(minutes=6))
    assert set_now(queue) == ["minutely"]


def test_periodic_jobs_due_while_redis_was_away_are_set_when_it_is_back(
    redis_server: RedisServer, make_queue: Callable[[], RedisQueue]
) -> None:
    queue = make_queue()
    worker = with_hourly_and_minutely(queue)
    redis_server.kill()
    for minute in (1, 2, 3):
        worker.enqueue_periodic_tasks(NINE + timedelta(minutes=minute))
    redis_server.start_again()
    worker.enqueue_periodic_tasks(NINE + timedelta(minutes=3, seconds=20))

    assert set_now(queue) == ["hourly", "minutely"]
