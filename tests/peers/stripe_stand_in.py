"""Stripe for the tests: a stateful stand-in on 127.0.0.1 that the real SDK talks to, and a test's hands on its other side.

`StripeStandIn` starts it. Its `environment` makes a Hopps server use it; its methods play Stripe, the cardholder's bank, the
customer on Stripe's pages, and a bad network.
"""

import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from script.lib.processes import HOST, DidNotStart, ServerProcess, free_port
from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.cards import APPROVED, DECLINED, NEEDS_AUTHENTICATION, NO_FUNDS
from tests.peers.stripe_front.webhooks import Delivery
from tests.peers.stripe_spec import PEERS

__all__ = ["APPROVED", "DECLINED", "JSON", "NEEDS_AUTHENTICATION", "NO_FUNDS", "Shown", "StripeStandIn"]

ROOT = Path(__file__).resolve().parents[2]
LOCALSTRIPE = PEERS / "localstripe" / "bin" / "python"
# Its own command listens on all addresses, and writes all it has to one file in /tmp at every change.
SERVE_LOCALSTRIPE = (
    "import sys\n"
    "from aiohttp import web\n"
    "from localstripe import resources, server\n"
    "resources.Store.dump_to_disk = lambda store: None\n"
    f"web.run_app(server.app, host='{HOST}', port=int(sys.argv[1]), access_log=None, print=None)\n"
)
SECRET_KEY = "sk_test_standin"
WEBHOOK_SECRET = "whsec_standin"
PORTS_TRIED = 3
SECONDS = 60.0


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing: where a page leads is what a test asks."""


# Straight to this machine, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _StayHere())


@dataclass(frozen=True)
class Shown:
    """What a browser has after pressing a button: a page's text, or where it is sent."""

    status: int
    text: str
    location: str | None


class StripeStandIn:
    """localstripe and the stand-in before it, two processes on free ports of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        """Describe it; `start` starts it. Their logs go to the folder."""
        self._folder = folder
        self._processes: list[ServerProcess] = []
        self.url = ""

    def start(self) -> None:
        """Start both and return once they serve. Raises DidNotStart."""
        upstream = self._start("localstripe", [str(LOCALSTRIPE), "-c", SERVE_LOCALSTRIPE, "{port}"], "/js.stripe.com/v3/")
        front = [sys.executable, "-m", "tests.peers.stripe_front.server", "--port", "{port}", "--upstream", upstream]
        self.url = self._start("stripe", front, "/_control/health")

    def _start(self, name: str, command: list[str], healthy: str) -> str:
        problem: DidNotStart | None = None
        for _ in range(PORTS_TRIED):
            port = free_port()
            process = ServerProcess(
                [part.format(port=port) if part == "{port}" else part for part in command],
                url=f"http://{HOST}:{port}{healthy}",
                log=self._folder / f"{name}.log",
                environment={},
                folder=ROOT,
            )
            try:
                process.start()
            except DidNotStart as caught:
                # Somebody else may have taken the port between finding and using it.
                problem = caught
            else:
                self._processes.append(process)
                return f"http://{HOST}:{port}"
        assert problem is not None
        raise problem

    def stop(self) -> None:
        """End both."""
        while self._processes:
            self._processes.pop().stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a Hopps process needs to use it."""
        return {
            "PAYMENTS": "stripe",
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.url,
        }

    def log_tail(self) -> str:
        """Return the end of what both said."""
        return "\n".join(process.log_tail() for process in self._processes)

    # --- its state -------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything: objects, events, keys, faults, where webhooks go."""
        self._control("reset")

    def requests(self) -> list[JSON]:
        """Return the API requests so far: method, path, operation, parameters, idempotency_key, status, replayed.

        `status` is absent while a request is not answered, and for one whose connection was cut.
        """
        lines: list[JSON] = self._control("requests")
        return lines

    def violations(self) -> list[str]:
        """Return a sentence for each request that Stripe's description does not allow. A test wants none."""
        sentences: list[str] = self._control("violations")
        return sentences

    def books(self) -> dict[str, list[JSON]]:
        """Return all objects by kind ("payment_intent", "refund", "transfer", …), oldest first."""
        books: dict[str, list[JSON]] = self._control("books")
        return books

    # --- events ----------------------------------------------------------------------------------------------------------

    def send_webhooks_to(self, url: str, *, secret: str = WEBHOOK_SECRET, delivery: Delivery = "now") -> None:
        """Say where events go: `now`, as they happen and in order, or `held`, until `send` says so."""
        self._control("webhooks", url=url, secret=secret, delivery=delivery)

    def events(self, *kinds: str) -> list[JSON]:
        """Return the events so far, oldest first; only those of these types where types are named."""
        events: list[JSON] = self._control("events")
        return [event for event in events if not kinds or event["type"] in kinds]

    def send(self, *events: JSON) -> list[int | None]:
        """Deliver these events in this order (the same twice is delivered twice), to where `send_webhooks_to` said.

        Returns the status of each answer; None where nobody answered.
        """
        statuses: list[int | None] = self._control("send", events=[event["id"] for event in events])
        return statuses

    def signed(self, event: JSON) -> tuple[bytes, str]:
        """Return the body and the header Stripe-Signature of a delivery made now, for a test that posts it itself."""
        signed: JSON = self._control("signed", event=event["id"])
        return signed["body"].encode(), signed["signature"]

    def deliveries(self) -> list[JSON]:
        """Return the deliveries so far: the event's id and type, and the status of the answer (None: nobody answered)."""
        deliveries: list[JSON] = self._control("deliveries")
        return deliveries

    # --- what happens at Stripe and at banks -----------------------------------------------------------------------------

    def save_card(self, customer: str, number: str = APPROVED) -> JSON:
        """Save a test card with a customer; return the payment method."""
        return self._object("save_card", customer=customer, number=number)

    def lapse_hold(self, payment_intent: str) -> JSON:
        """Let a hold end as it does after its days."""
        return self._object("lapse_hold", payment_intent=payment_intent)

    def lapse_checkout(self, session: str) -> JSON:
        """Let a Checkout Session's time be over."""
        return self._object("lapse_checkout", session=session)

    def open_dispute(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        reason: str = "fraudulent",
        status: Literal["needs_response", "under_review", "warning_needs_response"] = "needs_response",
    ) -> JSON:
        """Dispute a captured payment, all of it unless `amount` (minor units) says less."""
        return self._object("dispute", payment_intent=payment_intent, amount=amount, reason=reason, status=status)

    def set_dispute(
        self, dispute: str, status: Literal["needs_response", "under_review", "won", "lost", "warning_closed"]
    ) -> JSON:
        """Move a dispute on; "won", "lost" and "warning_closed" close it."""
        return self._object("dispute_status", dispute=dispute, status=status)

    def set_refund(self, refund: str, status: Literal["pending", "succeeded", "failed", "canceled"]) -> JSON:
        """Say how a refund ended."""
        return self._object("refund_status", refund=refund, status=status)

    def next_refund_becomes(self, status: Literal["pending", "succeeded", "failed"]) -> None:
        """Say what the next refund ends as. "failed" is told in a later event; the answer still says succeeded."""
        self._control("next_refund", status=status)

    def dashboard_refund(self, payment_intent: str, amount: int | None = None) -> JSON:
        """Refund as an operator does on Stripe's own pages: without our metadata."""
        return self._object("dashboard_refund", payment_intent=payment_intent, amount=amount)

    def reverse_transfer(self, transfer: str, amount: int | None = None) -> JSON:
        """Take a transfer back, as an operator does on Stripe's own pages."""
        return self._object("reverse_transfer", transfer=transfer, amount=amount)

    def set_account(self, account: str, *, enabled: bool, disabled_reason: str | None = None) -> JSON:
        """Say whether a connected account may be paid; onboarding counts as done."""
        return self._object("account", account=account, enabled=enabled, disabled_reason=disabled_reason)

    # --- faults ----------------------------------------------------------------------------------------------------------

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        error: JSON | None = None,
        times: int = 1,
        kept: bool = False,
    ) -> None:
        """Answer the next requests with an error, doing nothing.

        Args:
            method: such as "POST".
            path: a pattern for the whole path, such as "/v1/payment_intents/.*/capture".
            status: of HTTP.
            error: Stripe's error, such as {"type": "card_error", "code": …, "message": …}.
            times: for how many requests.
            kept: whether the idempotency key keeps the answer, as Stripe does once the work began.
        """
        self._control("fault", kind="answer", method=method, path=path, status=status, error=error, times=times, kept=kept)

    def drop(self, method: str, path: str, *, done: bool, times: int = 1) -> None:
        """Cut the connection of the next requests instead of answering: after the work if `done`, else before it."""
        self._control("fault", kind="drop_after" if done else "drop_before", method=method, path=path, times=times)

    def hang(self, method: str, path: str, *, times: int = 1, seconds: float = 5.0) -> None:
        """Let the next requests wait before their work, until `release`, at the latest for `seconds`."""
        self._control("fault", kind="hang", method=method, path=path, times=times, seconds=seconds)

    def release(self) -> None:
        """Let the requests go on that hang, and those that would."""
        self._control("release")

    def refuse_next_capture(self) -> None:
        """Let the next capture fail, as when the bank has let the hold go."""
        message = "The authorization for this PaymentIntent has expired and it can no longer be captured."
        error = {"type": "invalid_request_error", "code": "charge_expired_for_capture", "message": message}
        self.fail("POST", "/v1/payment_intents/[^/]+/capture", status=400, error=error, kept=True)

    def no_balance_for_next_transfer(self) -> None:
        """Let the next transfer fail because our balance is too small."""
        message = "You have insufficient available funds in your Stripe account."
        error = {"type": "invalid_request_error", "code": "balance_insufficient", "message": message}
        self.fail("POST", "/v1/transfers", status=400, error=error, kept=True)

    # --- the hosted pages, without a browser -----------------------------------------------------------------------------

    def page(self, url: str) -> Shown:
        """Open a hosted page."""
        return _send(url, None)

    def press(self, url: str, **fields: str) -> Shown:
        """Press a button of a hosted page; `action` is the button, the others are the form's fields."""
        return _send(url, urlencode(fields).encode())

    def pay(self, checkout_url: str, card: str = APPROVED) -> Shown:
        """Press "Pay" (or "Save card"). `location` is the success address, or the bank's page; None where declined."""
        return self.press(checkout_url, action="pay", card=card)

    def go_back(self, checkout_url: str) -> Shown:
        """Press "Back"."""
        return self.press(checkout_url, action="back")

    def answer_bank(self, url: str, *, approved: bool) -> Shown:
        """Answer 3-D Secure on the bank's page."""
        return self.press(url, action="approved" if approved else "refused")

    def finish_onboarding(self, url: str) -> Shown:
        """Press "Finish" on the page of an account link."""
        return self.press(url, action="finish")

    def _object(self, name: str, **arguments: Any) -> JSON:
        answered: JSON = self._control(name, **arguments)
        return answered

    def _control(self, name: str, **arguments: Any) -> Any:
        shown = _send(f"{self.url}/_control/{name}", json.dumps(arguments).encode())
        answered = json.loads(shown.text)
        if shown.status != 200:
            raise RuntimeError(answered["error"])
        return answered


def _send(url: str, body: bytes | None) -> Shown:
    try:
        with _opener.open(url, body, timeout=SECONDS) as answer:
            return Shown(answer.status, answer.read().decode(), None)
    except urllib.error.HTTPError as problem:
        return Shown(problem.code, problem.read().decode(), problem.headers.get("Location"))
