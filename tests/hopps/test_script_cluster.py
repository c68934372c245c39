"""script/cluster's second half: `roll` ends once all were replaced, and says where they were not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from script.lib.processes import HOST, free_port, status_of
from tests.live import ROOT, copy_of, environment_of, prepare_database

SECONDS = 120


def begin(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "script.lib.run_cluster", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Running:
    """A cluster of one web process on a database of its own; its port is `port`."""

    def __init__(self, folder: Path, database: str) -> None:
        """Start it and return once it serves."""
        self.port = free_port()
        self._environment = environment_of(folder, database) | {"PORT": str(self.port)}
        self.process = begin(self._environment, "1")
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "script/cluster roll" in line:
                return
        raise AssertionError(self.process.communicate()[1])

    def roll(self) -> "subprocess.Popen[str]":
        """Start `script/cluster roll` in another terminal, so to speak."""
        return begin(self._environment, "roll")

    def web_processes(self) -> set[int]:
        """Return the ids of the web processes that run."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in children if b"hopps.server" in Path(f"/proc/{child}/cmdline").read_bytes()}

    def stop(self) -> None:
        """End it, whatever the test did."""
        with self.process:
            self.process.terminate()


@pytest.fixture
def running(shared_folder: Path, tmp_path: Path) -> Iterator[Running]:
    """A cluster that serves."""
    running = Running(tmp_path, copy_of(prepare_database(shared_folder / "empty", demo=False), tmp_path))
    yield running
    running.stop()


def test_roll_ends_once_all_are_replaced_and_says_so(running: Running) -> None:
    before = running.web_processes()

    said, complaint = running.roll().communicate(timeout=SECONDS)

    assert (said, complaint) == ("Replaced.\n", "")
    after = running.web_processes()
    assert len(after) == 1
    assert not after & before
    assert status_of(f"http://{HOST}:{running.port}/healthz") == 200


def test_two_that_roll_at_once_are_both_told(running: Running) -> None:
    both = [running.roll(), running.roll()]

    assert [process.communicate(timeout=SECONDS)[0] for process in both] == ["Replaced.\n"] * 2
    assert [process.returncode for process in both] == [0, 0]


def test_roll_fails_where_the_cluster_ends_before_all_are_replaced(running: Running) -> None:
    roll = running.roll()
    assert running.process.stdout is not None
    assert any("Replacing" in line for line in running.process.stdout)
    running.process.send_signal(signal.SIGTERM)
    said, complaint = roll.communicate(timeout=SECONDS)

    assert roll.returncode == 1
    assert said == ""
    assert "Not all were replaced" in complaint


def test_roll_where_no_cluster_runs_says_so(tmp_path: Path) -> None:
    roll = begin({"VAR_DIR": str(tmp_path)}, "roll")

    assert "No cluster is running here. Start one: script/cluster" in roll.communicate(timeout=SECONDS)[1]
    assert roll.returncode == 1
