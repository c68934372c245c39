"""The errors Stripe answers with."""

from typing import Any

from tests.peers.stripe_front.books import JSON


class StripeError(Exception):
    """An answer that is an error. `body` is what goes over the wire."""

    def __init__(self, status: int, kind: str, message: str, **fields: Any) -> None:
        """Make one.

        Args:
            status: of HTTP.
            kind: Stripe's `type`, such as "card_error".
            message: for people.
            fields: what else Stripe says, such as `code` and `param`; those that are None are left out.
        """
        super().__init__(message)
        self.status = status
        said = {key: value for key, value in fields.items() if value is not None}
        self.body: JSON = {"error": {"type": kind, "message": message, **said}}


def refused(message: str, **fields: Any) -> StripeError:
    """Return the error for a request that cannot be done."""
    return StripeError(400, "invalid_request_error", message, **fields)


def no_such(kind: str, key: str, param: str | None = "id") -> StripeError:
    """Return the error for an id nobody gave out."""
    name = kind.replace(".", " ")
    return StripeError(404, "invalid_request_error", f"No such {name}: '{key}'", code="resource_missing", param=param)
