"""What the tests of the stand-in share."""

import pytest
import stripe

from tests.peers.stripe_stand_in import StripeStandIn


@pytest.fixture
def client(stripe_peer: StripeStandIn) -> stripe.StripeClient:
    """The real SDK, talking to the stand-in; each request once."""
    return stripe.StripeClient("sk_test_x", base_addresses={"api": stripe_peer.url}, max_network_retries=0)
