"""Readiness of real servers whose database, Redis or worker is missing: what is said, and what stays ready all the same."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from hopps import health
from tests.conftest import StartServer
from tests.live import LiveServer

SECONDS = 60
NO_ANSWER = "No answer in"


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Host and port of somebody who takes every call and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def ask(server: LiveServer, path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    answer = requests.get(server.url + path, timeout=SECONDS, proxies={"http": ""})
    return answer.status_code, answer.json()


def ask_until(server: LiveServer, status: int, reasons: dict[str, str]) -> dict[str, Any]:
    """Return what is said with `status` and these reasons, once it is: while this machine is busy, checks have no time.

    `reasons`: how they begin, by check; a check that is not named is well.
    """
    until = time.monotonic() + SECONDS
    while True:
        found, said = ask(server)
        given = {name: check["reason"] for name, check in said["checks"].items()}
        if found == status and all(
            reason.startswith(reasons[name]) if name in reasons else not reason for name, reason in given.items()
        ):
            assert said["ok"] is (status == 200)
            return said
        assert time.monotonic() < until, said


def test_a_server_that_has_everything_says_so(start_server: StartServer) -> None:
    server = start_server(demo=False, HOPPS_RELEASE="0123abc")

    said = ask_until(server, 200, {})
    assert said["checks"].keys() == {"database", "channel_layer", "jobs"}
    assert (said["degraded"], said["release"]) == ([], "0123abc")
    assert ask(server, "/healthz") == (200, {"ok": True, "release": "0123abc"})


def test_without_redis_and_worker_it_serves_pages_and_says_what_is_missing(start_server: StartServer, silent: str) -> None:
    server = start_server(demo=False, REDIS_URL=f"redis://hopps:s3cret@{silent}/0")

    said = ask_until(server, 200, {"channel_layer": "", "jobs": ""})
    assert said["degraded"] == ["channel_layer", "jobs"]
    assert "s3cret" not in str(said)
    assert requests.get(server.url, timeout=SECONDS, proxies={"http": ""}).status_code == 200
    assert "s3cret" not in server.log_tail()


def test_without_its_database_it_is_not_ready_and_tells_strangers_nothing_of_it(
    start_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "s3cret"
    folder.mkdir()
    server = start_server(demo=False, DATABASE_URL=f"sqlite:///{folder / 'hopps.sqlite3'}", JOBS_IN_WEB_PROCESS="0")

    ask_until(server, 503, {"database": "The database is not migrated to this release", "jobs": "No worker"})
    assert ask(server, "/healthz")[0] == 200
    server.manage("migrate", "--verbosity=0")
    ask_until(server, 200, {"jobs": "No worker"})
    folder.rename(tmp_path / "gone")
    said = ask_until(server, 503, {"database": "It cannot be reached (OperationalError).", "jobs": "No worker"})
    assert "s3cret" not in str(said)
    assert "ERROR" not in server.log_tail()


def test_a_database_that_does_not_answer_is_not_waited_for(start_server: StartServer, silent: str) -> None:
    server = start_server(demo=False, DATABASE_URL=f"postgresql://hopps:s3cret@{silent}/hopps", JOBS_IN_WEB_PROCESS="0")

    # Again and again: one that hangs is asked once.
    for _ in range(3):
        said = ask_until(server, 503, {"database": NO_ANSWER, "jobs": "No worker"})
        assert "s3cret" not in str(said)
    assert ask(server, "/healthz")[0] == 200


@pytest.mark.django_db
def test_a_process_that_was_told_to_stop_is_not_ready_any_more(client: Client) -> None:
    assert client.get("/readyz").status_code == 200
    health.draining.set()
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["draining"]) == (503, True)
        assert client.get("/healthz").status_code == 200
    finally:
        health.draining.clear()
