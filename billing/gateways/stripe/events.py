"""Reading Stripe's webhooks: whose they are, and what they are about."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import stripe

from billing.gateways.base import GatewayNews, GatewayRefused
from billing.gateways.stripe.reading import KEY

Subject = Literal["hold", "card", "refund", "dispute", "account", "transfer", "nothing of ours"]
# By the kind of object that changed. The events' own types are not looked at: each means "ask again".
_SUBJECTS: dict[str, Subject] = {
    "payment_intent": "hold",
    "refund": "refund",
    "dispute": "dispute",
    "account": "account",
    "transfer": "transfer",
}

# Stripe's own events nest a dozen levels, and its ids are shorter than this.
DEEPEST = 64
LONGEST_ID = 100


def read_event(*, body: bytes, signature: str, secrets: Sequence[str]) -> GatewayNews:
    """Return what a webhook says, if Stripe signed it with one of `secrets` within the last five minutes.

    Raises:
        GatewayRefused: it is not signed like that, or it is no event.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise GatewayRefused("This is not Stripe's.") from None
    if not any(_is_signed(text, signature, secret) for secret in secrets):
        raise GatewayRefused("The signature is not Stripe's.")
    try:
        event = json.loads(text)
        _check(event)
        thing = event["data"]["object"]
        subject, customer_ref = _subject(thing), thing.get("customer")
        metadata = thing.get("metadata") or {}
        return GatewayNews(
            event_id=_name(event["id"]),
            type=_name(event["type"]),
            subject=subject,
            ref=str(thing.get("id") or ""),
            key=str(metadata.get(KEY, "")),
            customer_ref=customer_ref if isinstance(customer_ref, str) else "",
            payload=event,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise GatewayRefused("This is no event.") from None


def _is_signed(text: str, signature: str, secret: str) -> bool:
    if not signature.isascii():
        return False
    try:
        stripe.WebhookSignature.verify_header(  # type: ignore[no-untyped-call]  # this class carries no types
            text, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE
        )
    except stripe.SignatureVerificationError:
        return False
    return True


def _check(value: object, depth: int = 0) -> None:
    """Raise ValueError for what Python's reader takes for JSON and no database keeps, or what is nested too deep."""
    if depth > DEEPEST:
        raise ValueError("This is nested too deep.")
    match value:
        case str():
            value.encode()  # half of a surrogate pair is a ValueError
            if "\0" in value:
                raise ValueError("No text has a zero in it.")
        case float() if not math.isfinite(value):
            raise ValueError("JSON has finite numbers only.")
        case dict():
            for key, item in value.items():
                _check(key, depth)
                _check(item, depth + 1)
        case list():
            for item in value:
                _check(item, depth + 1)


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise ValueError("This is no name.")
    return value


def _subject(thing: Mapping[str, Any]) -> Subject:
    if thing["object"] == "checkout.session":
        return "card" if thing.get("mode") == "setup" else "hold"
    return _SUBJECTS.get(thing["object"], "nothing of ours")
