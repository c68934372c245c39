"""soak: 2 000 boards, 50 sessions at once on two processes for 5 minutes: nothing lost, no bill wrong, memory flat."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvloop

from benchmarks.ours import environment_in, python
from benchmarks.soak.judge import judge
from benchmarks.soak.load import Size, run
from benchmarks.soak.memory import Memory
from benchmarks.soak.record import Books
from benchmarks.soak.report import Soaked, report
from script.lib.cluster import Cluster
from script.lib.with_database import address_for

WEBS = 2
FIT_WINDOW_SECONDS = 3
# After the last session what the job worker still does is over within this.
DONE_SECONDS = 60.0
POLL_SECONDS = 0.5
# What nobody should find in a log.
BAD_IN_LOGS = ("Traceback", "ERROR", "CRITICAL")


def soak(size: Size, folder: Path, *, database: str, is_prepared: bool = False) -> Soaked:
    """Start two web processes, the worker and Redis in `folder`, put the load on them, and judge what was seen.

    Args:
        size: how much, and for how long.
        folder: for all that is written.
        database: the address of one without people; where it is empty, a new one of SQLite in the folder.
        is_prepared: whether it has its tables.
    """
    environment = environment_in(folder) | {
        "DATABASE_URL": database,
        "FIT_WINDOW_SECONDS": str(FIT_WINDOW_SECONDS),
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
    }
    if not is_prepared:
        python(environment, "manage.py", "prepare")
    numbers = map(str, (size.boards, size.customers, size.seed))
    people = json.loads(python(environment, "-m", "benchmarks.soak.people", *numbers))
    with cluster_on(folder, environment) as cluster:
        memories = [Memory(f"web {number}", web.pid) for number, web in enumerate(cluster.webs, start=1)]
        memories.append(Memory("worker", cluster.worker.pid))
        addresses = [web.address for web in cluster.webs]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            record, delays = runner.run(run(size, people, addresses, memories, say))
        record.books = books_when_done(cluster.environment)
        # Before they are told to stop: then each says that it is not ready any more.
        record.mishaps += bad_lines(folder)
    say("judging")
    return Soaked(size, record, delays, memories, judge(record))


@contextmanager
def cluster_on(folder: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    """Start the processes, yield them, and stop them."""
    cluster = Cluster(folder / "cluster", environment=environment, webs=WEBS)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def books_when_done(environment: dict[str, str]) -> Books:
    """Read the books once no job is left, or DONE_SECONDS have passed: then the judge says what is open."""
    until = time.monotonic() + DONE_SECONDS
    while True:
        books = msgspec.json.decode(python(environment, "-m", "benchmarks.soak.books"), type=Books)
        if time.monotonic() > until or not (books.waiting_jobs or books.open_holds or books.open_attendances):
            return books
        time.sleep(POLL_SECONDS)


def bad_lines(folder: Path) -> list[str]:
    """Return the lines of the processes' logs that tell of an error."""
    return [
        f"{log.name}: {line}"
        for log in sorted((folder / "cluster").glob("*.log"))
        for line in log.read_text(errors="replace").splitlines()
        if any(bad in line for bad in BAD_IN_LOGS)
    ]


def say(sentence: str) -> None:
    """Tell whoever waits how far it is."""
    print(sentence, file=sys.stderr, flush=True)


def main() -> int:
    """Return 0 where every promise was kept, 1 where one was not."""
    parser = argparse.ArgumentParser(prog="script/bench soak", description=__doc__)
    parser.add_argument("--boards", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "mongodb"), default="sqlite")
    options = parser.parse_args()
    size = Size(options.boards, options.sessions, options.minutes * 60, options.seed)
    with tempfile.TemporaryDirectory() as folder, address_for(options.database) as database:
        soaked = soak(size, Path(folder), database=database)
    return 0 if report(soaked, options.database) else 1


if __name__ == "__main__":
    sys.exit(main())
