"""A job carries the id of the request that asked for it, is counted, and says on each line of the log which job it is.

The id travels in the job's own id, `<request>.<when it was asked for>.<random>`: so it survives the queue and retries.
"""

import inspect
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC
from functools import lru_cache
from importlib import import_module

from huey import signals
from huey.api import Task
from huey.contrib.djhuey import HUEY
from huey.registry import Message
from prometheus_client.core import GaugeMetricFamily, Metric

from hopps import heartbeat, logs, metrics

_ID = re.compile(rf"(?P<request>{logs.SANE_ID.pattern})\.(?P<ms>[0-9]{{13}})\.[0-9a-f]{{32}}")

_OUTCOMES = {
    signals.SIGNAL_COMPLETE: "done",
    signals.SIGNAL_RETRYING: "retried",
    signals.SIGNAL_INTERRUPTED: "interrupted",
    signals.SIGNAL_EXPIRED: "expired",
}

_running: dict[str, tuple[AbstractContextManager[object], float]] = {}


@HUEY.signal(signals.SIGNAL_ENQUEUED)  # type: ignore[untyped-decorator]  # huey carries no types
def _name(signal: str, job: Task) -> None:
    """Put the request that asked for it into the job's id, once: huey tells this again when a job's time has come."""
    if _ID.fullmatch(job.id):
        return
    request = logs.known().get("request") or logs.new_id()
    job.id = f"{request}.{round(time.time() * 1000)}.{uuid.uuid4().hex}"
    job.revoke_id = f"r:{job.id}"


@HUEY.pre_execute()  # type: ignore[untyped-decorator]
def _begin(job: Task) -> None:
    about = logs.about(request=_request_of(job), job=_called(job))
    about.__enter__()
    _running[job.id] = about, time.perf_counter()
    if session := _session_of(job):
        logs.note(session=session)
    metrics.JOB_LATE_SECONDS.observe(max(0.0, time.time() - runnable_since(job)))


@HUEY.post_execute()  # type: ignore[untyped-decorator]
def _end(job: Task, value: object, problem: BaseException | None) -> None:
    about, began = _running.pop(job.id)
    metrics.JOB_SECONDS.observe(time.perf_counter() - began)
    about.__exit__(None, None, None)
    if problem is not None and not job.retries:
        metrics.JOBS.labels(_called(job), "failed").inc()


@HUEY.signal(*_OUTCOMES)  # type: ignore[untyped-decorator]
def _count(signal: str, job: Task) -> None:
    metrics.JOBS.labels(_called(job), _OUTCOMES[signal]).inc()


@HUEY.on_startup()  # type: ignore[untyped-decorator]
def _worker_began() -> None:
    heartbeat.keep_leaving()


def runnable_since(job: Task | Message) -> float:
    """Return since when a job could have run, in seconds since the epoch: since it was asked for, or since its time came."""
    named = _ID.fullmatch(job.id)
    asked = int(named["ms"]) / 1000 if named else time.time()
    # huey keeps times in UTC, and without saying so.
    return max(asked, job.eta.replace(tzinfo=UTC).timestamp()) if job.eta else asked


def queue() -> Iterator[Metric]:
    """Yield how many jobs wait, how many are set for later, how old the oldest is, and when a worker was last heard of."""
    yield _gauge("hopps_jobs_waiting", "Jobs that could run now.", HUEY.pending_count())
    yield _gauge("hopps_jobs_scheduled", "Jobs set for later.", HUEY.scheduled_count())
    oldest = HUEY.storage.enqueued_items(limit=1)
    waiting = max(0.0, time.time() - runnable_since(HUEY.serializer.deserialize(oldest[0]))) if oldest else 0
    yield _gauge("hopps_jobs_oldest_seconds", "How long the next job has been waiting.", waiting)
    age = heartbeat.age()
    silent = float("inf") if age is None else age
    yield _gauge("hopps_worker_silent_seconds", "For how long no worker has given a sign of life.", silent)


metrics.register("jobs", queue)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _request_of(job: Task) -> str:
    named = _ID.fullmatch(job.id)
    return named["request"] if named else job.id


def _called(job: Task) -> str:
    return f"{type(job).__module__}.{type(job).__name__}"


@lru_cache
def _parameters(module: str, name: str) -> tuple[str, ...]:
    return tuple(inspect.signature(getattr(import_module(module), name).func).parameters)


def _session_of(job: Task) -> str:
    """Return the session a job is about, by its parameter `session_id`; "" for other jobs."""
    parameters = _parameters(type(job).__module__, type(job).__name__)
    return str(dict(zip(parameters, job.args, strict=False)).get("session_id", ""))
