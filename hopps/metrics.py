"""What Prometheus may ask for at /metrics, and who may ask.

A process shows its own counters. What is counted in the database is the same wherever it is asked: read when somebody
asks, at most every few seconds, by functions the apps register here (`register`; imports run down).
"""

import hmac
import logging
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import django
from django.conf import settings
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hopps.bounded import Bounded, DidNotAnswer
from hopps.everybody import for_everybody

logger = logging.getLogger(__name__)

# For so long figures from the database are given again, in seconds; how long one scrape waits for them.
FRESH_SECONDS = 5.0
WAIT_SECONDS = 2.0

disable_created_metrics()  # type: ignore[no-untyped-call]

BUILD = Info("hopps_build", "The release that runs here.")
BUILD.info({"release": settings.RELEASE, "python": platform.python_version(), "django": django.get_version()})

REQUESTS = Counter("hopps_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "hopps_request_seconds",
    "From a request's first byte to the last of its answer.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SOCKETS = Gauge("hopps_sockets", "Websockets open at this process.", ["kind"])
TOO_OFTEN = Counter("hopps_too_often", "How often somebody was told that it was too often, by what.", ["limit"])
EVENTS_PUBLISHED = Counter("hopps_events_published", "Events and wake-ups this process sent to all processes.")
EVENTS_DELIVERED = Counter("hopps_events_delivered", "Events this process handed to a socket of its own.")
CATCH_UPS = Counter("hopps_catch_ups", "How often this process's sockets asked the database for what they may have missed.")
JOBS = Counter("hopps_jobs", "Jobs this process was done with, by what became of them.", ["job", "outcome"])
JOB_SECONDS = Histogram(
    "hopps_job_seconds", "How long a job ran.", buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
)
JOB_LATE_SECONDS = Histogram(
    "hopps_job_late_seconds",
    "How long a job that could have run waited for a worker.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


class Figures(Collector):
    """Figures read when somebody asks: kept a few seconds, waited for only so long."""

    def __init__(self, name: str, read: Callable[[], Iterable[Metric]]) -> None:
        self._name = name
        self._read = Bounded(f"metrics-{name}", lambda: _read_and_close(read))
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._found_at = -FRESH_SECONDS

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry must not read the database when the process starts."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, and whether they could be read: without the database the process's own counters still show."""
        with self._lock:
            if time.monotonic() - self._found_at >= FRESH_SECONDS:
                self._found = self._asked()
                self._found_at = time.monotonic()
            yield from self._found

    def _asked(self) -> list[Metric]:
        read = GaugeMetricFamily(f"hopps_{self._name}_read", f"1 when the figures of {self._name} could be read.")
        try:
            found = self._read.answer(WAIT_SECONDS)
        except DidNotAnswer:
            logger.warning("The figures of %s could not be read in %g seconds", self._name, WAIT_SECONDS)
            found = []
        except Exception:
            logger.exception("The figures of %s could not be read", self._name)
            found = []
        read.add_metric([], float(bool(found)))
        return [read, *found]


def _read_and_close(read: Callable[[], Iterable[Metric]]) -> list[Metric]:
    try:
        return list(read())
    finally:
        # The thread ends here, and its connection with it.
        connections.close_all()


def register(name: str, read: Callable[[], Iterable[Metric]]) -> None:
    """Have /metrics show what `read` returns.

    Args:
        name: whose figures they are, such as "billing".
        read: asks the database, in a thread of its own.
    """
    REGISTRY.register(Figures(name, read))


@for_everybody
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything, as Prometheus reads it. With METRICS_TOKEN only for who has it; without one, not in production."""
    if not settings.METRICS_TOKEN:
        if not settings.DEVELOPMENT:
            raise Http404
    elif not may_read(request.headers.get("Authorization", "")):
        return HttpResponse("This needs the token of METRICS_TOKEN.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(authorization: str) -> bool:
    """Return whether the header `authorization` carries METRICS_TOKEN."""
    return hmac.compare_digest(authorization.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
