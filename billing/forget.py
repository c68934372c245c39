"""Forgetting what we need no longer."""

from datetime import datetime, timedelta

from billing.models import GatewayEvent

# Long enough to look into what went wrong; banks have decided nearly every dispute by then.
PAYLOADS_KEPT = timedelta(days=90)


def forget_payloads(now: datetime) -> int:
    """Empty what events carried that came more than PAYLOADS_KEPT before `now` (UTC): it has people's names and addresses.

    The rows stay: they make repeats harmless. Returns how many were emptied.
    """
    old = GatewayEvent.objects.filter(received_at__lt=now - PAYLOADS_KEPT)
    return old.exclude(payload={}).update(payload={})
