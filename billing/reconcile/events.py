"""Events that nobody looked into."""

from collections.abc import Iterator
from datetime import datetime

from billing.gateways.base import GatewayUnavailable
from billing.models import GatewayEvent
from billing.reconcile.run import Difference, Run, by_page
from billing.webhooks import GIVEN_UP, handle


def compare_events(run: Run) -> Iterator[Difference]:
    """Events that nobody could look into."""
    waiting = GatewayEvent.objects.filter(gateway=run.processor.name, handled_at=None, received_at__lt=run.settled_before)
    for event in by_page(waiting.order_by("received_at")):
        yield _look_into(run, event)


def _look_into(run: Run, event: GatewayEvent) -> Difference:
    what = f"Event {event.event_id} ({event.type}) was not looked into"
    if event.received_at >= run.now - GIVEN_UP:
        return run.differs(f"{what}.", lambda: handle(event=event))
    return run.differs(f"{what}, and was given up.", lambda: _look_a_last_time(event, run.now))


def _look_a_last_time(event: GatewayEvent, now: datetime) -> bool:
    """Look into an event that the sweep gave up, and have it not said again tomorrow. Returns whether that worked."""
    try:
        handle(event=event)
    except GatewayUnavailable as problem:
        GatewayEvent.objects.filter(pk=event.pk, handled_at=None).update(
            handled_at=now, outcome=f"given up: {problem.in_full}"[:200]
        )
        return False
    return True
