"""A job's way from who asked for it to who does it: its id, what the log says of it, what is counted."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from prometheus_client import REGISTRY
from pytest_django import Settings

from hopps import heartbeat, job_trail, logs
from hopps.tasks import mail_operators
from hopps.worker_healthcheck import is_alive
from sessions_app import jobs as session_jobs
from tests.jobs import JobsInMemory, jobs_in_memory

pytestmark = pytest.mark.django_db

REQUEST = "from-the-web-1"
MAIL = "hopps.tasks.mail_operators"


@pytest.fixture
def queue() -> Iterator[JobsInMemory]:
    with jobs_in_memory() as storage:
        yield storage


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, with what is known of each line."""
    known = logs.Known()
    caplog.handler.addFilter(known)
    yield caplog
    caplog.handler.removeFilter(known)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def figures() -> dict[str, float]:
    return {sample.name: sample.value for family in job_trail.queue() for sample in family.samples}


def test_what_a_job_logs_carries_the_request_that_asked_for_it(
    queue: JobsInMemory, lines: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "no.such.Backend"
    with logs.about(request=REQUEST):
        mail_operators("Hello", "there")
    assert logs.known() == {}

    with lines.at_level(logging.ERROR, "huey"):
        queue.do_what_is_due()

    (line,) = lines.records
    assert line.known == {"request": REQUEST, "job": MAIL}  # type: ignore[attr-defined]
    assert logs.known() == {}


def test_a_job_that_is_set_by_a_job_carries_the_same_request(queue: JobsInMemory) -> None:
    with logs.about(request=REQUEST):
        mail_operators.schedule(args=("Hello", "there"), delay=60)
    waiting = HUEY.dequeue()
    HUEY.execute(waiting)  # its time has not come: it is put aside, and comes back as huey keeps it
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        (due,) = HUEY.read_schedule()
        HUEY.enqueue(due)

    assert due.id == waiting.id
    assert due.id.startswith(f"{REQUEST}.")


def test_a_job_says_which_session_it_is_about(queue: JobsInMemory, lines: pytest.LogCaptureFixture) -> None:
    session = str(uuid4())
    session_jobs.mail_receipt(session)

    with lines.at_level(logging.ERROR, "huey"):
        queue.do_what_is_due()

    assert lines.records[0].known["session"] == session  # type: ignore[attr-defined]


def test_a_job_that_nobody_asked_for_has_an_id_of_its_own(queue: JobsInMemory) -> None:
    mail_operators("Hello", "there")
    mail_operators("Hello", "again")

    first, second = HUEY.dequeue().id.split(".")[0], HUEY.dequeue().id.split(".")[0]
    assert logs.SANE_ID.fullmatch(first)
    assert first != second


def test_jobs_are_counted_by_what_became_of_them(queue: JobsInMemory, settings: Settings) -> None:
    outcomes = ("done", "failed", "retried")
    before = {outcome: value("hopps_jobs_total", job=MAIL, outcome=outcome) for outcome in outcomes}
    mail_operators("Hello", "there")
    queue.do_what_is_due()
    settings.EMAIL_BACKEND = "no.such.Backend"
    mail_operators.schedule(args=("Hello", "there"), delay=0, retries=1, retry_delay=0)
    queue.do_what_is_due()

    counted = {outcome: value("hopps_jobs_total", job=MAIL, outcome=outcome) - before[outcome] for outcome in outcomes}
    assert counted == {"done": 1, "failed": 1, "retried": 1}


def test_the_oldest_job_is_as_old_as_it_could_have_run(queue: JobsInMemory) -> None:
    assert figures()["hopps_jobs_oldest_seconds"] == 0
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        mail_operators.schedule(args=("Later", "on"), delay=3600)
        HUEY.execute(HUEY.dequeue())  # its time has not come: it is put aside
        mail_operators("Hello", "there")

    with time_machine.travel(now + timedelta(seconds=90), tick=False):
        found = figures()
    assert found["hopps_jobs_waiting"] == 1
    assert found["hopps_jobs_scheduled"] == 1
    assert found["hopps_jobs_oldest_seconds"] == pytest.approx(90, abs=0.01)


def test_a_worker_that_was_heard_of_lately_is_alive(queue: JobsInMemory, settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    assert heartbeat.age() is None
    assert not is_alive(tmp_path)
    assert figures()["hopps_worker_silent_seconds"] == float("inf")

    now = timezone.now()
    with time_machine.travel(now, tick=False):
        heartbeat.leave()
    with time_machine.travel(now + timedelta(seconds=40), tick=False):
        assert heartbeat.age() == pytest.approx(40, abs=0.01)
    assert is_alive(tmp_path)
    with time_machine.travel(now + timedelta(seconds=40), tick=False):
        assert not is_alive(tmp_path)
