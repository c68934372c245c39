"""What /metrics shows of messages: what became of those of the last 24 hours."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from accounts.models import ExpertProfile, Message


def people() -> Iterator[Metric]:
    """Yield the messages of the last 24 hours by way and outcome, and how many experts have their board open."""
    now = timezone.now()
    messages = GaugeMetricFamily("hopps_messages", "Messages of the last 24 hours.", labels=["way", "outcome"])
    lately = Message.objects.filter(state__in=Message.State.values, created_at__gte=now - timedelta(days=1))
    for row in lately.order_by().values("way", "state").annotate(count=Count("pk")):
        messages.add_metric([row["way"], row["state"]], row["count"])
    yield messages
    online = ExpertProfile.objects.online(now).count()
    yield GaugeMetricFamily("hopps_experts_online", "Experts who are available and have their board open.", value=online)
