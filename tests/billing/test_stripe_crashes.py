"""The process is killed at every point between "about to call Stripe" and "our write done": money moves once.

The points are counted as the journey runs (see crasher.py): at the start, just after each answer of Stripe arrived, and just
after each write and each commit. The process is killed at the first, then at the second, until the
journey ends unkilled; so none is left out.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.billing.crash_journeys import JOURNEYS
from tests.databases import databases
from tests.live import ROOT, copy_of, environment_of, prepare_database
from tests.peers.stripe_stand_in import StripeStandIn

MOST_POINTS = 300


class Crasher:
    """The process that forks the attempts, and what it needs around it."""

    def __init__(self, folder: Path, prepared: str, environment: dict[str, str]) -> None:
        self.database = copy_of(prepared, folder)
        self.log = folder / "crasher.log"
        self._calls: dict[str, int] = {}
        # Pages name static files; nobody fetches any, and none need be looked through for each attempt.
        no_files = folder / "no-static-files"
        no_files.mkdir()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.billing.crasher"],
                cwd=ROOT,
                env={
                    **os.environ,
                    **environment,
                    **environment_of(folder, self.database),
                    "STATIC_ROOT": str(no_files),
                    "LOG_LEVEL": "WARNING",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def attempt(self, journey: str, *, kill: int | None = None, cut: int | None = None, retries: int = 0) -> dict[str, Any]:
        """Have a journey done and checked; return its points, its calls, whether it was killed, what reconcile repaired."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"journey": journey, "kill": kill, "cut": cut, "retries": retries}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-4000:]
        answer: dict[str, Any] = json.loads(line)
        where = answer["points"][-1:] if kill else answer["calls"][(cut or 1) - 1 :][:1]
        assert not answer["problem"], (
            f"{journey}, {'killed at' if kill else 'no answer to'} {kill or cut}, {where}:\n{answer['problem']}"
        )
        if not answer["killed"] and cut is None:
            self._calls[journey] = len(answer["calls"])
        return answer

    def calls(self, journey: str) -> int:
        """Return how many calls that change something a whole journey makes."""
        if journey not in self._calls:
            self.attempt(journey)
        return self._calls[journey]

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        databases.drop(self.database)


@pytest.fixture(scope="module")
def crasher(
    _stripe_processes: StripeStandIn, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crasher]:
    """The process, its people made; each attempt begins with an empty Stripe and a copy of its database."""
    prepared = prepare_database(shared_folder, demo=False)
    crasher = Crasher(tmp_path_factory.mktemp("crashes"), prepared, _stripe_processes.environment)
    yield crasher
    crasher.stop()


@pytest.mark.parametrize("journey", JOURNEYS)
def test_killed_at_any_point_money_moves_once_and_all_books_and_pages_agree(crasher: Crasher, journey: str) -> None:
    number = 0
    killed = True
    while killed:
        number += 1
        assert number < MOST_POINTS
        answer = crasher.attempt(journey, kill=number)
        killed = answer["killed"]
        # What a crash leaves, the jobs of each minute put right; reconcile, of each night, has nothing to repair.
        assert answer["repaired"] == [], answer["points"][-1]
    points = answer["points"]
    assert number == len(points) + 1
    at_requests = len([point for point in points if "/v1/" in point])
    print(f"{journey}: {len(points)} points, {at_requests} of them around a request")
    assert len(points) >= JOURNEYS[journey].least


@pytest.mark.parametrize("retries", [0, 1], ids=["asked again by the sweep", "asked again by Stripe's library"])
@pytest.mark.parametrize("journey", JOURNEYS)
def test_an_answer_lost_on_the_way_is_work_done_once(crasher: Crasher, journey: str, retries: int) -> None:
    for number in range(1, crasher.calls(journey) + 1):
        answer = crasher.attempt(journey, cut=number, retries=retries)
        assert answer["repaired"] == [], answer["calls"][number - 1]
