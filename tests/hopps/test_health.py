"""Readiness of real servers whose database, Redis or worker is missing: what is said, and what stays ready all the same."""

import re
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

SECONDS = 30


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Host and port of somebody who takes every call and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def ask(server: LiveServer, path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    answer = requests.get(server.url + path, timeout=SECONDS, proxies={"http": ""})
    return answer.status_code, answer.json()


def ask_until(server: LiveServer, status: int) -> dict[str, Any]:
    """Return what is said with `status`, once it is: the first look reads all migrations, and this machine may be busy."""
    until = time.monotonic() + SECONDS
    while (answer := ask(server))[0] != status:
        assert time.monotonic() < until, answer
    return answer[1]


def test_a_server_that_has_everything_says_so(start_server: StartServer) -> None:
    server = start_server(demo=False, HOPPS_RELEASE="0123abc")

    said = ask_until(server, 200)
    assert (said["ok"], said["degraded"], said["release"]) == (True, [], "0123abc")
    assert {name: check["ok"] for name, check in said["checks"].items()} == {
        "database": True,
        "channel_layer": True,
        "jobs": True,
    }
    assert ask(server, "/healthz") == (200, {"ok": True, "release": "0123abc"})


def test_without_redis_and_worker_it_serves_pages_and_says_what_is_missing(start_server: StartServer, silent: str) -> None:
    server = start_server(demo=False, REDIS_URL=f"redis://hopps:s3cret@{silent}/0")

    # Again and again: who does not answer is not waited for.
    for _ in range(3):
        said = ask_until(server, 200)
        assert (said["ok"], said["degraded"]) == (True, ["channel_layer", "jobs"])
        assert re.match(r"No answer in|It cannot be reached", said["checks"]["jobs"]["reason"])
        assert "s3cret" not in str(said)
    assert requests.get(server.url, timeout=SECONDS, proxies={"http": ""}).status_code == 200
    assert "s3cret" not in server.log_tail()


def test_without_its_database_it_is_not_ready_and_tells_strangers_nothing_of_it(
    start_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "s3cret"
    folder.mkdir()
    server = start_server(demo=False, DATABASE_URL=f"sqlite:///{folder / 'hopps.sqlite3'}", JOBS_IN_WEB_PROCESS="0")

    said = ask_until(server, 503)
    assert said["ok"] is False
    assert said["checks"]["database"]["reason"] == "The database is not migrated to this release: manage.py migrate."
    assert ask(server, "/healthz")[0] == 200

    server.manage("migrate", "--verbosity=0")
    ask_until(server, 200)

    folder.rename(tmp_path / "gone")
    said = ask_until(server, 503)
    assert said["ok"] is False
    assert "ERROR" not in server.log_tail()
    assert said["checks"]["database"]["reason"] == "It cannot be reached (OperationalError)."
    assert "s3cret" not in str(said)


def test_a_database_that_does_not_answer_is_not_waited_for(start_server: StartServer, silent: str) -> None:
    server = start_server(demo=False, DATABASE_URL=f"postgresql://hopps:s3cret@{silent}/hopps", JOBS_IN_WEB_PROCESS="0")

    for _ in range(3):
        status, said = ask(server)
        assert (status, said["ok"]) == (503, False)
        assert re.match(r"No answer in|It cannot be reached", said["checks"]["database"]["reason"])
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
