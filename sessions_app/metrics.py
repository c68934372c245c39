"""What /metrics shows of help sessions: how many are in which state, how long customers wait, how soon somebody accepts."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from sessions_app.models import OPEN_STATES, OVER_STATES, HelpSession, State

ACCEPT_SECONDS = Histogram(
    "hopps_accept_seconds",
    "From when a request was put in front of experts until one accepted it.",
    buckets=(2, 5, 10, 20, 30, 60, 120, 180, 300, 600),
)


def accepted(session: HelpSession, now: datetime) -> None:
    """Count a session that was accepted at `now` (UTC)."""
    if session.queued_at is not None:
        ACCEPT_SECONDS.observe(max(0.0, (now - session.queued_at).total_seconds()))


def sessions() -> Iterator[Metric]:
    """Yield how many sessions are in which state, and the longest wait. Of those that are over, the last 24 hours' count."""
    now = timezone.now()
    lately = Q(state__in=OVER_STATES, created_at__gte=now - timedelta(days=1))
    rows = HelpSession.objects.filter(Q(state__in=[State.DRAFT, *OPEN_STATES]) | lately).order_by()
    counts = dict.fromkeys(State.values, 0)
    counts.update(rows.values_list("state").annotate(count=Count("pk")))
    by_state = GaugeMetricFamily(
        "hopps_sessions", "Sessions that are open, and those of the last 24 hours that are over.", labels=["state"]
    )
    for state, count in counts.items():
        by_state.add_metric([state], count)
    yield by_state
    oldest = HelpSession.objects.filter(state=State.REQUESTED).aggregate(since=Min("queued_at"))["since"]
    waiting = (now - oldest).total_seconds() if oldest else 0
    yield GaugeMetricFamily(
        "hopps_request_oldest_seconds", "How long the open request that waits longest has.", value=waiting
    )
