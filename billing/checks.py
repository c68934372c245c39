"""What must hold about money for Hopps to start (see hopps/checks.py)."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Doubt

from hopps.checks import STARTING, elsewhere, lacking, wrong_kind


@checks.register(STARTING)
def check_payments(**_: Any) -> Iterator[CheckMessage]:
    """Payments move real money, with keys of the right kind."""
    if settings.PAYMENTS == "demo":
        if not settings.DEVELOPMENT:
            hint = "Set PAYMENTS=stripe, with STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS."
            yield Error("PAYMENTS=demo moves no real money.", hint=hint, id="billing.E001")
        return
    yield from lacking("PAYMENTS=stripe", ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"), id="billing.E002")
    yield from elsewhere("STRIPE_API_BASE", id="billing.E004")
    if settings.DEVELOPMENT:
        return
    kinds = {"STRIPE_SECRET_KEY": ("sk_", "rk_"), "STRIPE_WEBHOOK_SECRETS": ("whsec_",)}
    yield from wrong_kind(kinds, id="billing.E003")
    # Not an error: a site for trying things out is set up as the real one is, but for this key.
    if settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_")):
        hint = "Right for a site to try things on. For real money take the live key, and a database that saw no test key."
        yield Doubt("STRIPE_SECRET_KEY is a test key: no real money moves.", hint=hint, id="billing.W001")
