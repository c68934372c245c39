"""Payment gateways, and which one is in use."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing.gateways.base import Gateway
from billing.gateways.demo import DemoGateway


def gateway(name: str | None = None) -> Gateway:
    """Return the gateway called `name`; without a name the one settings.PAYMENTS chooses for new cards.

    Raises:
        ImproperlyConfigured: there is no such gateway.
    """
    match name or settings.PAYMENTS:
        case "demo":
            return DemoGateway()
        case other:
            raise ImproperlyConfigured(f"PAYMENTS must be demo, not {other!r}.")
