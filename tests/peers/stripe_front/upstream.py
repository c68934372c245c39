"""localstripe, another process: an independent account of customers, cards, payments and refunds.

What it holds decides: a payment it refuses is refused. The stand-in adds on its side what localstripe does not know.
"""

import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.errors import StripeError

SECONDS = 20
# Straight to this machine, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalStripe:
    """The calls the stand-in makes."""

    def __init__(self, url: str) -> None:
        self._url = url

    def post(self, path: str, **fields: str | int | bool | None) -> JSON:
        """Do a POST and return the answer. Fields that are None are left out. Raises StripeError as localstripe answers."""
        form = {
            key: str(value).lower() if isinstance(value, bool) else value
            for key, value in fields.items()
            if value is not None
        }
        return self._send("POST", path, urlencode(form).encode())

    def forget(self) -> None:
        """Empty it."""
        self._send("DELETE", "/_config/data", None)

    def _send(self, method: str, path: str, body: bytes | None) -> JSON:
        request = urllib.request.Request(self._url + path, body, {"Authorization": "Bearer sk_test_front"}, method=method)
        try:
            with _opener.open(request, timeout=SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as problem:
            said = json.loads(problem.read()).get("error", {})
            raise StripeError(problem.code, said.get("type", "api_error"), f"localstripe: {said.get('message')}") from None
        answered: JSON = json.loads(text) if text else {}
        return answered
