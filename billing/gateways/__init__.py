"""Payment gateways, and which one is in use."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing.gateways.base import Gateway
from billing.gateways.demo import DemoGateway


def gateway(name: str | None = None) -> Gateway:
    """Return the gateway called `name`; without a name the one settings.PAYMENTS chooses for what is new.

    Raises:
        ImproperlyConfigured: there is no such gateway.
    """
    match name or settings.PAYMENTS:
        case "demo":
            return DemoGateway()
        case "stripe":
            # Late: a server without Stripe need not load its library.
            from billing.gateways.stripe import StripeGateway

            return StripeGateway.from_settings()
        case other:
            raise ImproperlyConfigured(f"PAYMENTS must be demo or stripe, not {other!r}.")
