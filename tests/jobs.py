"""The real job queue on a test's own clock: jobs are done when the clock has reached them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from huey.contrib.djhuey import HUEY
from huey.storage import MemoryStorage


class JobsInMemory(MemoryStorage):  # type: ignore[misc]  # huey carries no types
    """huey's own storage for tests, and a look at what comes next."""

    def next_at(self) -> datetime | None:
        """Return when the next job is set for, in UTC; None where there is none."""
        return self._schedule[0][0].replace(tzinfo=UTC) if self._schedule else None

    def are_due(self, now: datetime) -> bool:
        """Return whether there is a job to do at `now` (UTC)."""
        after = self.next_at()
        return bool(self.queue_size()) or (after is not None and after <= now)

    def do_what_is_due(self) -> None:
        """Do every job that is due by the clock, and what those set for the same moment."""
        for job in HUEY.read_schedule():
            HUEY.enqueue(job)
        while (job := HUEY.dequeue()) is not None:
            HUEY.execute(job)


@contextmanager
def jobs_in_memory() -> Iterator[JobsInMemory]:
    """Keep the jobs in this process's memory, for the length of a test."""
    storage, HUEY.storage = HUEY.storage, JobsInMemory("hopps")
    try:
        yield HUEY.storage
    finally:
        HUEY.storage = storage
