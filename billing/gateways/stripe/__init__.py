"""The gateway to Stripe."""

from billing.gateways.stripe.gateway import StripeGateway

__all__ = ["StripeGateway"]
