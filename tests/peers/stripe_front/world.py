"""What all parts of the stand-in share."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.peers.openapi_answers import check_object
from tests.peers.stripe_front.books import JSON, Books
from tests.peers.stripe_front.errors import no_such, refused
from tests.peers.stripe_front.faults import Faults
from tests.peers.stripe_front.idempotency import IdempotencyKeys
from tests.peers.stripe_front.upstream import LocalStripe
from tests.peers.stripe_front.webhooks import Webhooks
from tests.peers.stripe_spec import Checked, SpecError, StripeSpec

MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


class World:
    """The state. `lock` is held while anything in it is worked on."""

    def __init__(self, *, url: str, upstream: LocalStripe, spec: StripeSpec) -> None:
        self.url = url
        """Where the stand-in is reached, without a slash at the end."""
        self.upstream = upstream
        self.spec = spec
        self.lock = threading.RLock()
        self._begin()

    def forget(self) -> None:
        """Return to how it was at the start."""
        self.webhooks.stop()
        self.faults.stop()
        self._begin()

    def _begin(self) -> None:
        self.webhooks = Webhooks(self.spec.version)
        self.keys = IdempotencyKeys()
        self.faults = Faults()
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
            self.mistaken(str(problem))

    def mistaken(self, how: str) -> None:
        """Note a mistake of the stand-in itself."""
        self.violations.append(f"The stand-in's mistake: {how}")

    def tell(self, kind: str, item: JSON, *, account: str | None = None) -> None:
        """Make an event about the object as it is now."""
        self.check(check_object, item)
        self.webhooks.happened(kind, item, request=self.request, account=account)


Handler = Callable[[World, Checked], JSON]
Handlers = Mapping[str, Handler]


def merged(old: Mapping[str, Any], new: "Mapping[str, Any] | str | None") -> JSON:
    """Return metadata after an update: keys set to "" go, "" for all of it empties it. Raises StripeError for too much."""
    if new is None:
        return dict(old)
    if isinstance(new, str):
        return {}
    result = {key: value for key, value in {**old, **new}.items() if value != ""}
    if len(result) > MOST_METADATA or any(
        len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE for key, value in result.items()
    ):
        raise refused(
            f"Metadata takes up to {MOST_METADATA} keys of up to {LONGEST_KEY} characters, values of up to {LONGEST_VALUE}.",
            param="metadata",
        )
    return result
