"""Work that is done by one at a time."""

import subprocess
import sys
from pathlib import Path

from pytest_django import Settings

from hopps.jobs import alone

HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_of_two_one_does_it_and_a_dead_process_keeps_nobody_from_it(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    with alone("work") as mine:
        assert mine
        with alone("work") as also_mine:
            assert not also_mine
        with alone("other work") as another:
            assert another
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "work.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with alone("work") as mine:
            assert not mine
        holder.kill()
    with alone("work") as mine:
        assert mine
