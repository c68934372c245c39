"""Events, and their delivery: signed as Stripe signs, at once or when told."""

import copy
import hashlib
import hmac
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from typing import Literal

from tests.peers.stripe_front.books import JSON, now, random_id

Delivery = Literal["now", "held"]

ATTEMPTS = 5
PAUSE_SECONDS = 0.2
ANSWER_SECONDS = 20.0
# Straight to this machine, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def signature(body: bytes, secret: str, at: int) -> str:
    """Return the header Stripe-Signature for a body sent at this second."""
    signed = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class Webhooks:
    """Every event since the start, and where they go."""

    def __init__(self, api_version: str) -> None:
        self.api_version = api_version
        self.url = ""
        """Empty: nobody listens, and events are only kept."""
        self.secret = ""
        self.delivery: Delivery = "now"
        self.events: dict[str, JSON] = {}
        self.deliveries: list[JSON] = []
        """Each attempt that was answered or given up: the event's id and type, and the status (None: no answer)."""
        self._waiting: queue.SimpleQueue[JSON | None] = queue.SimpleQueue()
        self._stopped = False
        threading.Thread(target=self._deliver, name="webhooks", daemon=True).start()

    def stop(self) -> None:
        """Deliver nothing more at once."""
        self._stopped = True
        self._waiting.put(None)

    def happened(self, kind: str, item: JSON, *, request: JSON | None, account: str | None = None) -> None:
        """Keep an event about the object as it is now, and deliver it where events are delivered at once."""
        event: JSON = {
            "id": random_id("evt_"),
            "object": "event",
            "api_version": self.api_version,
            "created": now(),
            "livemode": False,
            "type": kind,
            "data": {"object": copy.deepcopy(item)},
            "pending_webhooks": 1 if self.url else 0,
            "request": request or {"id": None, "idempotency_key": None},
        }
        if account is not None:
            event["account"] = account
        self.events[event["id"]] = event
        if self.delivery == "now" and self.url:
            self._waiting.put(event)

    def signed(self, event: JSON) -> tuple[bytes, str]:
        """Return the body and the header Stripe-Signature of a delivery made now."""
        body = json.dumps(event, indent=2).encode()
        return body, signature(body, self.secret, int(time.time()))

    def send(self, event: JSON) -> int | None:
        """Deliver an event; return the status of the answer, or None when nobody answered in all attempts."""
        body, header = self.signed(event)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header, "User-Agent": "Stripe/1.0"}
        status = _post(self.url, body, headers)
        self.deliveries.append({"id": event["id"], "type": event["type"], "status": status})
        return status

    def _deliver(self) -> None:
        while (event := self._waiting.get()) is not None and not self._stopped:
            self.send(event)


def _post(url: str, body: bytes, headers: dict[str, str]) -> int | None:
    for attempt in range(ATTEMPTS):
        try:
            with _opener.open(urllib.request.Request(url, body, headers), timeout=ANSWER_SECONDS) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as problem:
            return problem.code
        except OSError:
            # Nobody listens (yet): a server that is being started again.
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE_SECONDS)
    return None
