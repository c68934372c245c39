"""Is this process alive, and can it serve? (decision 0028)

Asked every few seconds by a proxy, a deploy and whoever runs the place, and answered to strangers too. So each check has
only so long, and its reason is a sentence of ours: what a driver says may name addresses, and goes to the log.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from hopps import heartbeat
from hopps.bounded import Bounded, DidNotAnswer
from hopps.everybody import for_everybody
from hopps.realtime.hub import hub

logger = logging.getLogger(__name__)

# Set when this process was told to stop: it finishes what it has, and whoever asks is to go to another process.
draining = threading.Event()

# How long one check may take, in seconds. All are asked at once.
WAIT_SECONDS = 1.5

_migrated = threading.Event()


class NotWell(Exception):
    """What was looked at is not as it must be; the message is a sentence for strangers."""


@dataclass(frozen=True)
class Check:
    """One thing this process stands on."""

    name: str
    look: Callable[[], None]
    """Raises where it is not well."""
    needed: bool
    """Whether pages cannot do without it. Where the others are not well, the process is degraded, and ready all the same."""


@dataclass(frozen=True)
class Found:
    """How it was with one of them."""

    ok: bool
    ms: int
    reason: str = ""


def database() -> None:
    """Raise where the database cannot be asked, or has not got the tables this release wants."""
    try:
        if _migrated.is_set():
            MigrationRecorder(connection).migration_qs.exists()
            return
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise NotWell("The database is not migrated to this release: manage.py migrate.")
        # Nobody takes tables away from a release that runs (docs/migrations.md): once is enough.
        _migrated.set()
    finally:
        connections.close_all()


def channel_layer() -> None:
    """Raise where Redis, which carries events between processes, does not answer, or the sockets here do not hear of it."""
    if settings.REDIS_URL:
        limit = WAIT_SECONDS
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=limit, socket_connect_timeout=limit) as layer:
            layer.ping()
        if hub.is_deaf:
            raise NotWell("Events of other processes do not arrive: pages see what is new when they ask.")


def jobs() -> None:
    """Raise where no worker has given a sign of life lately."""
    age = heartbeat.age()
    if age is None:
        raise NotWell("No worker has run yet.")
    if age > heartbeat.DEAD_AFTER_SECONDS:
        raise NotWell(f"No worker has given a sign of life for {age:.0f} s.")


CHECKS = (
    Check("database", database, needed=True),
    Check("channel_layer", channel_layer, needed=False),
    Check("jobs", jobs, needed=False),
)
_asking = {check.name: Bounded(f"readyz-{check.name}", check.look) for check in CHECKS}


def look(check: Check, *, deadline: float) -> Found:
    """Return how it is with `check`, waiting until `deadline` (on the monotonic clock) at the longest."""
    began = time.monotonic()
    try:
        _asking[check.name].answer(deadline - began)
        reason = ""
    except DidNotAnswer:
        reason = f"No answer in {WAIT_SECONDS:g} s."
    except NotWell as problem:
        reason = str(problem)
    except Exception as problem:
        logger.warning("Not ready: %s: %s", check.name, problem)
        reason = f"It cannot be reached ({type(problem).__name__})."
    return Found(ok=not reason, ms=round((time.monotonic() - began) * 1000), reason=reason)


@for_everybody
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers, and says which release it is. No more is asked: a new process would not mend a dead database."""
    return JsonResponse({"ok": True, "release": settings.RELEASE})


@for_everybody
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether new visitors are to be sent here: 503 with reasons when not. What is missing and not needed is `degraded`."""
    for check in CHECKS:
        _asking[check.name].begin()
    deadline = time.monotonic() + WAIT_SECONDS
    found = {check.name: look(check, deadline=deadline) for check in CHECKS}
    ready = not draining.is_set() and all(found[check.name].ok for check in CHECKS if check.needed)
    answer = {
        "ok": ready,
        "release": settings.RELEASE,
        "draining": draining.is_set(),
        "degraded": [check.name for check in CHECKS if not check.needed and not found[check.name].ok],
        "checks": {name: {"ok": one.ok, "ms": one.ms, "reason": one.reason} for name, one in found.items()},
    }
    response = JsonResponse(answer, status=200 if ready else 503)
    # Django would log an error for each 503, every few seconds; what is not well was logged as it was found.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
