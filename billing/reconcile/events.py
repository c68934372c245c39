"""Events that nobody looked into."""

from collections.abc import Iterator

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
    # The sweep has given up by then; this is the last look, and whatever it brings is written down.
    given_up = event.received_at < run.now - GIVEN_UP
    return run.differs(f"{what}, and was given up." if given_up else f"{what}.", lambda: handle(event=event))
