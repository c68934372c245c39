"""Events that nobody looked into."""

from collections.abc import Iterator

from billing.models import GatewayEvent
from billing.reconcile.run import Difference, Run
from billing.webhooks import GIVEN_UP, heal_events


def compare_events(run: Run) -> Iterator[Difference]:
    """Events that nobody could look into."""
    waiting = GatewayEvent.objects.filter(gateway=run.processor.name, handled_at=None, received_at__lt=run.settled_before)
    if not waiting.exists():
        return
    if run.repair:
        heal_events(run.now)
    for event in waiting:
        too_old = event.received_at < run.now - GIVEN_UP
        what = f"Event {event.event_id} ({event.type}) was not looked into"
        yield Difference(f"{what}, and is given up." if too_old else f"{what}.", repaired=False)
