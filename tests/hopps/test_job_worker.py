"""The job worker as a process of its own, on a real Redis: told to stop, it lets the job in hand end, and loses none."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from script.lib.cluster import Worker
from script.lib.redis_server import RedisServer
from tests.databases import databases
from tests.live import ROOT, copy_of, environment_of, prepare_database
from tests.peers.mail_server import mail_server

SECONDS = 60.0


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_lets_its_job_end(how: signal.Signals, shared_folder: Path, tmp_path: Path) -> None:
    database = copy_of(prepare_database(shared_folder / "empty", demo=False), tmp_path)
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    with mail_server() as mails:
        environment = environment_of(tmp_path, database) | {
            "REDIS_URL": redis.url,
            "EMAIL_BACKEND": "",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mails.port),
            "EMAIL_USE_TLS": "0",
            "JOB_WORKERS": "1",
        }
        worker = Worker(log=tmp_path / "worker.log", environment=environment)
        mails.fault = "silent"
        set_two = "from hopps.tasks import mail_operators; mail_operators('first', ''); mail_operators('second', '')"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", set_two], env=os.environ | environment, cwd=ROOT, check=True
        )
        worker.start()
        try:
            until(lambda: mails.asked == 1)
            worker.send(how)
            mails.fault = ""
            mails.go_on()
            until(lambda: worker.ended_by_itself)

            subjects = [mail["Subject"] for mail in mails.mails]
            with Redis.from_url(redis.url) as client:
                waiting = any(b"second" in job for job in client.lrange("huey.redis.hopps", 0, -1))
            # The other one waits for the next worker, unless it was begun before the word had got through.
            assert subjects == (["[Hopps] first"] if waiting else ["[Hopps] first", "[Hopps] second"])
        finally:
            worker.kill()
            redis.stop()
            databases.drop(database)
