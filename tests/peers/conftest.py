"""What the tests of the stand-in share."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import pytest
import stripe

from tests.peers.stripe_stand_in import APPROVED, WEBHOOK_SECRET, StripeStandIn

SECONDS = 20.0
# Checks signatures; talks to nobody.
VERIFIER = stripe.StripeClient("sk_test_x")
Pay = Callable[..., stripe.PaymentIntent]


@pytest.fixture
def client(stripe_peer: StripeStandIn) -> stripe.StripeClient:
    """The real SDK, talking to the stand-in; each request once."""
    return stripe.StripeClient("sk_test_x", base_addresses={"api": stripe_peer.url}, max_network_retries=0)


@pytest.fixture
def customer(client: stripe.StripeClient) -> str:
    """A customer's id."""
    return client.v1.customers.create({"email": "ada@hopps.test"}).id


@pytest.fixture
def hold(client: stripe.StripeClient, stripe_peer: StripeStandIn, customer: str) -> Pay:
    """Hold 9.00 EUR on a saved card of the customer. `hold(card=…, amount=…)`; other parameters as the API names them."""

    def hold(*, card: str = APPROVED, amount: int = 900, **others: Any) -> stripe.PaymentIntent:
        method = stripe_peer.save_card(customer, card)["id"]
        asked: Any = {
            "amount": amount,
            "currency": "eur",
            "customer": customer,
            "payment_method": method,
            "capture_method": "manual",
            "confirm": True,
            "return_url": "https://hopps.test/back?x=1",
            **others,
        }
        return client.v1.payment_intents.create(asked)

    return hold


@pytest.fixture
def paid(client: stripe.StripeClient, hold: Pay) -> stripe.PaymentIntent:
    """A payment of 9.00 EUR, captured."""
    return client.v1.payment_intents.capture(hold().id)


class Listener:
    """A webhook of a test: verifies each delivery with the SDK, answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self._heard: SimpleQueue[stripe.Event] = SimpleQueue()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers["Stripe-Signature"]
                listener._heard.put(VERIFIER.construct_event(body, signature, WEBHOOK_SECRET))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def heard(self) -> str:
        """Wait for the next event; return its type."""
        return self._heard.get(timeout=SECONDS).type

    def heard_nothing(self) -> bool:
        """Whether no event waits."""
        return self._heard.empty()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A webhook that listens."""
    listener = Listener()
    yield listener
    listener.stop()
