"""What Stripe's objects and errors mean to us."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import stripe
from django.conf import settings

from billing.gateways.base import (
    CardDetails,
    Declined,
    GatewayDispute,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    HoldResult,
    NeedsAction,
    Placed,
    RefundEntry,
    TransferEntry,
)

# Under which our key travels in the metadata of what we make.
KEY = "hopps_key"
# And which site made it: several may have one account, such as two developers with one test key.
SITE = "hopps_site"
_DECLINED = "The bank declined this card. No money was held. Try another card."
_DECLINES = {
    "insufficient_funds": "The bank says there is not enough on this card for the hold, so nothing was held. "
    "Choose less time, or another card.",
    "expired_card": "This card has expired, so nothing was held. Use another card.",
    "authentication_required": "The bank wants to see you for this card, and did not. Nothing was held. Try again.",
    "payment_intent_authentication_failure": "The bank could not make sure that it is you, so nothing was held. "
    "Try again, or use another card.",
}
PAGE_LEFT = "The page for the card was left, or ran out. Nothing was held."
_GIVEN_BACK = "This hold was given back."
_REFUSED = "The payment service refused this."
_REFUSALS = {
    "resource_missing": "The payment service does not know this any more. Use another card, or start again.",
    "balance_insufficient": "Our balance at the payment service does not cover this yet.",
    "charge_already_refunded": "All of this charge was given back already.",
    "charge_disputed": "This charge is disputed, so it cannot be given back as well.",
}
_LAPSED = "The bank gave this hold back by itself."
# Reasons Stripe itself gives for a cancelled intent; ours are others.
_LAPSE_REASONS = {"automatic", "expired"}
_REFUND_STATES: dict[str, Literal["pending", "succeeded", "failed"]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_WAITS_FOR_US = {"needs_response", "warning_needs_response"}
_DISPUTE_STATES: dict[str, Literal["needs_answer", "under_review", "won", "lost", "inquiry"]] = {
    "needs_response": "needs_answer",
    "under_review": "under_review",
    "won": "won",
    "lost": "lost",
    # The bank only asks, and no money moves.
    "warning_needs_response": "inquiry",
    "warning_under_review": "inquiry",
    # Closed without the bank's taking it further: the money stays with us.
    "warning_closed": "won",
    "prevented": "won",
}
HOLD_STATES: dict[str, Literal["waiting", "held", "captured", "over"]] = {
    "requires_capture": "held",
    "succeeded": "captured",
    "requires_action": "waiting",
    "processing": "waiting",
    "requires_confirmation": "waiting",
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours; a card's own refusal stays what it is, for whoever asked the card."""
    try:
        yield
    except stripe.CardError:
        raise
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise GatewayRefused(_REFUSALS.get(error.code or "", _REFUSED), f"Stripe: {error.user_message}") from error
    except stripe.StripeError as error:
        # No connection, a time-out, too many requests, the same key being worked on, a wrong key, a fault of theirs.
        raise GatewayUnavailable(
            "The payment service does not answer. Try again in a minute.", f"Stripe: {error.user_message}"
        ) from error


def must_be_intent(ref: str) -> None:
    if not ref.startswith("pi_"):
        raise GatewayRefused("There is no such hold.")


def was_replayed(thing: Any) -> bool:
    """Return whether Stripe repeated an answer it gave before under the same key: things may have moved on since."""
    response = thing.last_response
    headers: dict[str, str] = {name.lower(): value for name, value in response.headers.items()} if response else {}
    return headers.get("idempotent-replayed") == "true"


def standing(intent: stripe.PaymentIntent) -> HoldResult:
    match intent.status:
        case "requires_capture" | "succeeded":
            return Placed(intent.id)
        case "requires_action":
            # Another kind of question would need Stripe's script in our page; for cards with a return address there is none.
            return NeedsAction(intent.id, optional(optional(intent.next_action, "redirect_to_url"), "url") or "")
        case "canceled":
            lapsed = intent.cancellation_reason in _LAPSE_REASONS
            return Declined(intent.id, _LAPSED if lapsed else _GIVEN_BACK, lapsed)
        case "requires_payment_method":
            error = intent.last_payment_error
            return Declined(intent.id, decline_sentence(optional(error, "code"), optional(error, "decline_code")))
        case _:
            raise GatewayUnavailable("The bank is still thinking. Give it a minute, then try again.")


def decline_sentence(code: str | None, decline_code: str | None) -> str:
    return _DECLINES.get(decline_code or "") or _DECLINES.get(code or "") or _DECLINED


def declined(error: stripe.CardError) -> Declined:
    """Return what a card's refusal means; its intent holds nothing and is not confirmed again."""
    intent = optional(error.error, "payment_intent")
    sentence = decline_sentence(error.code, optional(error.error, "decline_code"))
    return Declined(str(optional(intent, "id") or ""), sentence)


def optional(thing: Any, name: str) -> Any:
    """Return a field that Stripe leaves out where there is nothing to say, else None."""
    return getattr(thing, name, None)


def card_details(method: Any) -> CardDetails | None:
    if not isinstance(method, stripe.PaymentMethod) or method.card is None:
        return None
    return CardDetails(
        method.id, (optional(method.card, "display_brand") or method.card.brand).replace("_", " ").title(), method.card.last4
    )


def page_url(session: stripe.checkout.Session) -> str:
    if not session.url:
        raise GatewayUnavailable("The payment service gave no page for the card. Try again in a minute.")
    return session.url


def key_of(thing: Any) -> str:
    metadata = optional(thing, "metadata")
    return str(metadata.to_dict().get(KEY, "")) if metadata else ""


def marked(key: str) -> dict[str, str]:
    """Return the metadata of what we make."""
    return {KEY: key, SITE: settings.PUBLIC_URL}


def is_elsewhere(*things: Any) -> bool:
    """Return whether the first of these that names a site names another than ours; ids are things that name none."""
    for thing in things:
        metadata = optional(thing, "metadata")
        site = metadata.to_dict().get(SITE) if metadata else None
        if site:
            return bool(site != settings.PUBLIC_URL)
    return False


def name_of(value: Any) -> str:
    """Return an id, whether the thing itself or only its id is given."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value.id)


def refund_of(made: stripe.Refund) -> GatewayRefund:
    return GatewayRefund(made.id, _REFUND_STATES.get(made.status or "", "pending"), optional(made, "failure_reason") or "")


def refund_entry_of(made: stripe.Refund) -> RefundEntry:
    return RefundEntry(
        made.id,
        key_of(made),
        name_of(made.payment_intent),
        made.amount,
        refund_of(made).state,
        is_elsewhere(made, made.payment_intent),
    )


def transfer_of(made: stripe.Transfer) -> TransferEntry:
    return TransferEntry(
        made.id,
        key_of(made),
        name_of(made.destination),
        made.amount,
        made.amount_reversed,
        made.currency.upper(),
        is_elsewhere(made),
    )


def same_transfer(made: TransferEntry, account_ref: str, amount_minor: int) -> TransferEntry:
    if (made.account_ref, made.amount_minor) != (account_ref, amount_minor):
        raise GatewayRefused("This key was used for another payout.")
    return made


def is_ready(account: stripe.Account) -> bool:
    return bool(account.payouts_enabled and optional(account.capabilities, "transfers") == "active")


def dispute_of(opened: stripe.Dispute) -> GatewayDispute:
    due = opened.evidence_details.due_by
    return GatewayDispute(
        ref=opened.id,
        hold_ref=name_of(opened.payment_intent),
        amount_minor=opened.amount,
        reason=opened.reason.replace("_", " "),
        state=_DISPUTE_STATES.get(opened.status, "needs_answer"),
        opened_at=datetime.fromtimestamp(opened.created, UTC),
        answer_by=datetime.fromtimestamp(due, UTC) if due and opened.status in _WAITS_FOR_US else None,
        elsewhere=is_elsewhere(opened.payment_intent),
    )
