"""What all parts of the stand-in share."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.peers.stripe_answers import check_object
from tests.peers.stripe_front.books import JSON, Books
from tests.peers.stripe_front.errors import no_such
from tests.peers.stripe_front.faults import Faults
from tests.peers.stripe_front.idempotency import IdempotencyKeys
from tests.peers.stripe_front.upstream import LocalStripe
from tests.peers.stripe_front.webhooks import Webhooks
from tests.peers.stripe_spec import Checked, SpecError, StripeSpec


class World:
    """The state. `lock` is held while anything in it is worked on."""

    def __init__(self, *, url: str, upstream: LocalStripe, spec: StripeSpec) -> None:
        self.url = url
        """Where the stand-in is reached, without a slash at the end."""
        self.upstream = upstream
        self.spec = spec
        self.lock = threading.RLock()
        self.webhooks = Webhooks(spec.version)
        self.keys = IdempotencyKeys()
        self.faults = Faults()
        self.forget()

    def forget(self) -> None:
        """Return to how it was at the start."""
        self.books = Books()
        self.numbers: dict[str, str] = {}
        """Each payment method's card number."""
        self.detached: set[str] = set()
        """The payment methods that were taken from their customer."""
        self.returns: dict[str, str] = {}
        """Where the bank sends the customer back to, by the id of what is confirmed."""
        self.plans: dict[str, JSON] = {}
        """What each Checkout Session's page says and makes: `title`, and `data` for its payment intent."""
        self.links: dict[str, JSON] = {}
        """The links to onboarding, by their token."""
        self.refund_statuses: list[str] = []
        """What becomes of the next refunds; "succeeded" when empty."""
        self.requests: list[JSON] = []
        self.violations: list[str] = []
        self.request: JSON | None = None
        """The request being worked on, as an event names it."""
        self.keys.forget()
        self.faults.forget()
        self.webhooks.forget()

    def get(self, kind: str, key: str, param: str | None = "id") -> JSON:
        """Return an object. Raises StripeError (404) when there is none; `param` names where the id stood."""
        found = self.books.find(kind, key)
        if found is None:
            raise no_such(kind, key, param)
        return found

    def check(self, check: Callable[..., None], *what: object) -> None:
        """Check what the stand-in itself says; what is wrong with it is noted with the violations."""
        try:
            check(self.spec, *what)
        except SpecError as problem:
            self.violations.append(f"The stand-in's mistake: {problem}")

    def tell(self, kind: str, item: JSON, *, account: str | None = None) -> None:
        """Make an event about the object as it is now."""
        self.check(check_object, item)
        self.webhooks.happened(kind, item, request=self.request, account=account)


Handler = Callable[[World, Checked], JSON]
Handlers = Mapping[str, Handler]


def merged(old: Mapping[str, Any], new: "Mapping[str, Any] | str | None") -> JSON:
    """Return metadata after an update: keys set to "" go, "" for all of it empties it."""
    if new is None:
        return dict(old)
    if isinstance(new, str):
        return {}
    return {key: value for key, value in {**old, **new}.items() if value != ""}
