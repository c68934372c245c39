"""script/server's second half: what it says when it cannot start, and that it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from script.lib.processes import HOST, free_port, status_of
from tests.live import ROOT

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start it with a database of its own; whatever the test does, it is ended."""
    processes: list[subprocess.Popen[str]] = []

    def run(port: str) -> subprocess.Popen[str]:
        environment = {"HOPPS_ENV": "development", "VAR_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
        process = subprocess.Popen(
            [sys.executable, "-m", "script.lib.serve"],
            env=os.environ | environment | {"PORT": port},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        with process:  # closes its pipes and waits for it
            process.terminate()


def test_it_says_when_the_port_is_taken(start: Start) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        process = start(str(port))
        _, complaint = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"Port {port} is in use by another program." in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "80 80"])
def test_it_says_when_the_port_is_none(start: Start, port: str) -> None:
    process = start(port)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == 1
    assert complaint == f"PORT must be a number from 1 to 65535, not {port!r}.\n"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_says_so_and_stops_everything_it_started(start: Start, ending: signal.Signals) -> None:
    port = free_port()
    process = start(str(port))
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.readline()

    assert said == f"Ready: http://{HOST}:{port}\n"
    assert status_of(f"http://{HOST}:{port}/") == 200

    process.send_signal(ending)
    assert process.wait(timeout=60) == 0
    assert "customer@demo.test" in process.stdout.read()
    assert "Traceback" not in process.stderr.read()
    assert status_of(f"http://{HOST}:{port}/") is None
