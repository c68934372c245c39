"""Payment intents: confirmed, held, captured, cancelled, and the charges under them."""

from typing import Any

from tests.peers.stripe_front.books import JSON, now, page, random_id
from tests.peers.stripe_front.cards import MESSAGES, Card
from tests.peers.stripe_front.customers import attach, card_of, usable
from tests.peers.stripe_front.errors import StripeError, refused
from tests.peers.stripe_front.world import World, merged

# Stripe's smallest payments, in minor units.
SMALLEST = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50}
CAN_CANCEL = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
REFUSED_AT_THE_BANK = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def new_intent(world: World, body: JSON) -> JSON:
    """Make a payment intent that is not confirmed yet. `body` is as for POST /v1/payment_intents."""
    amount, currency = body["amount"], body["currency"].lower()
    if amount < SMALLEST.get(currency, 1):
        raise refused(
            f"Amount must be at least {SMALLEST.get(currency, 1)} {currency}.", code="amount_too_small", param="amount"
        )
    customer = body.get("customer")
    if customer is not None:
        world.get("customer", customer, "customer")
    if "payment_method" in body:
        usable(world, body["payment_method"], customer)
    capture_method = body.get("capture_method", "automatic_async")
    made = world.upstream.post(
        "/v1/payment_intents", amount=amount, currency=currency, customer=customer, capture_method=capture_method
    )
    intent = world.books.add(
        "payment_intent",
        id=made["id"],
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods=None if "payment_method_types" in body else {"allow_redirects": "always", "enabled": True},
        canceled_at=None,
        cancellation_reason=None,
        capture_method=capture_method,
        client_secret=made["client_secret"],
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        description=body.get("description"),
        last_payment_error=None,
        latest_charge=None,
        metadata=merged({}, body.get("metadata")),
        next_action=None,
        payment_method=body.get("payment_method"),
        payment_method_options=body.get("payment_method_options", {}),
        payment_method_types=body.get("payment_method_types", ["card"]),
        receipt_email=body.get("receipt_email"),
        setup_future_usage=body.get("setup_future_usage"),
        shipping=None,
        statement_descriptor=None,
        statement_descriptor_suffix=body.get("statement_descriptor_suffix"),
        status="requires_confirmation" if "payment_method" in body else "requires_payment_method",
        transfer_data=None,
        transfer_group=body.get("transfer_group"),
    )
    world.tell("payment_intent.created", intent)
    return intent


def confirm(world: World, intent: JSON, *, method: JSON, return_url: str | None, off_session: bool) -> None:
    """Ask the bank for the money. Raises StripeError (402) when the card is declined; that is kept on the intent."""
    intent["payment_method"] = method["id"]
    intent["last_payment_error"] = None
    card = card_of(world, method)
    if card.declined is not None:
        _decline(world, intent, method, "card_declined", card.declined, MESSAGES[card.declined])
    if card.needs_authentication and off_session:
        message = "Your card was declined. This transaction requires authentication."
        _decline(world, intent, method, "authentication_required", "authentication_required", message)
    world.upstream.post(f"/v1/payment_intents/{intent['id']}", payment_method=method["id"])
    theirs = world.upstream.post(f"/v1/payment_intents/{intent['id']}/confirm")
    if card.needs_authentication:
        ask_the_bank(world, intent, return_url)
        world.tell("payment_intent.requires_action", intent)
    else:
        _authorised(world, intent, card, theirs)


def ask_the_bank(world: World, intent: JSON, return_url: str | None) -> None:
    """Make the intent wait for 3-D Secure. `intent` may be a setup intent too."""
    intent["status"] = "requires_action"
    if return_url is None:
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        return
    bank = f"{world.url}/bank/{intent['id']}"
    intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": bank}}
    world.returns[intent["id"]] = return_url


def answer_bank(world: World, intent: JSON, *, approved: bool) -> None:
    """Take the bank's answer to 3-D Secure."""
    assert intent["status"] == "requires_action"
    method = world.get("payment_method", intent["payment_method"])
    theirs = world.upstream.post(
        f"/v1/payment_intents/{intent['id']}/_authenticate", client_secret=intent["client_secret"], success=approved
    )
    intent["next_action"] = None
    if approved:
        _authorised(world, intent, card_of(world, method), theirs)
        return
    code = "payment_intent_authentication_failure"
    intent["last_payment_error"] = _problem(code, None, REFUSED_AT_THE_BANK) | {"payment_method": method}
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    world.tell("payment_intent.payment_failed", intent)


def _problem(code: str, decline_code: str | None, message: str) -> JSON:
    problem = {"type": "card_error", "code": code, "message": message}
    return problem if decline_code is None else {**problem, "decline_code": decline_code}


def _decline(world: World, intent: JSON, method: JSON, code: str, decline_code: str, message: str) -> None:
    charge = _new_charge(world, intent, random_id("ch_"), failure_code=code, failure_message=message)
    charge.update(status="failed", paid=False, captured=False)
    problem = {**_problem(code, decline_code, message), "charge": charge["id"]}
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        latest_charge=charge["id"],
        last_payment_error={**problem, "payment_method": world.books.shown(method, [])},
    )
    world.tell("charge.failed", charge)
    world.tell("payment_intent.payment_failed", intent)
    del problem["type"], problem["message"]
    shown = world.books.shown(intent, [])
    raise StripeError(
        402, "card_error", message, **problem, payment_intent=shown, payment_method=world.books.shown(method, [])
    )


def _new_charge(world: World, intent: JSON, key: str, **fields: Any) -> JSON:
    method = world.get("payment_method", intent["payment_method"])
    card = {name: method["card"][name] for name in ("brand", "last4", "exp_month", "exp_year", "country", "funding")}
    charge: JSON = {
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "captured": False,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "metadata": dict(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": card},
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded",
        "transfer_group": intent["transfer_group"],
        **fields,
    }
    return world.books.add("charge", id=key, **charge)


def _authorised(world: World, intent: JSON, card: Card, theirs: JSON) -> None:
    intent["status"] = theirs["status"]
    charge = _new_charge(world, intent, theirs["latest_charge"]["id"])
    intent["latest_charge"] = charge["id"]
    method = world.get("payment_method", intent["payment_method"])
    if intent["setup_future_usage"] is not None and intent["customer"] is not None:
        attach(world, method, intent["customer"])
    if intent["status"] == "requires_capture":
        intent["amount_capturable"] = intent["amount"]
        world.tell("charge.succeeded", charge)
        world.tell("payment_intent.amount_capturable_updated", intent)
    else:
        _take(world, intent, charge, intent["amount"])
        world.tell("charge.succeeded", charge)
        world.tell("payment_intent.succeeded", intent)


def _take(world: World, intent: JSON, charge: JSON, amount: int) -> None:
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    # What is not captured counts as given back.
    charge.update(captured=True, amount_captured=amount, amount_refunded=charge["amount"] - amount)
    charge["balance_transaction"] = balance_transaction(world, "charge", charge["id"], amount, charge["currency"])["id"]
    for session in world.books.all("checkout.session", payment_intent=intent["id"]):
        session["payment_status"] = "paid"


def balance_transaction(world: World, kind: str, source: str, amount: int, currency: str, fee: int | None = None) -> JSON:
    """Write down a change of our balance at Stripe. Without `fee`, a payment costs 1.5 % and 25, all else nothing."""
    if fee is None:
        fee = round(amount * 0.015) + 25 if kind == "charge" else 0
    return world.books.add(
        "balance_transaction",
        amount=amount,
        available_on=now(),
        balance_type="payments",
        currency=currency,
        description=None,
        exchange_rate=None,
        fee=fee,
        fee_details=[],
        net=amount - fee,
        reporting_category=kind,
        source=source,
        status="pending",
        type=kind,
    )


def _unexpected(world: World, intent: JSON, verb: str) -> StripeError:
    return refused(
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=world.books.shown(intent, []),
    )


def capture(world: World, intent: JSON, amount: int | None, metadata: JSON) -> None:
    """Take the held money, or a part of it; the rest is let go. `metadata` is the intent's after it. Raises StripeError."""
    if intent["status"] != "requires_capture":
        raise _unexpected(world, intent, "captured")
    amount = intent["amount_capturable"] if amount is None else amount
    if amount < 1:
        raise refused("Invalid positive integer", code="parameter_invalid_integer", param="amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise refused(
            "The amount_to_capture is greater than the amount you can capture "
            f"({amount} is more than {intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    world.upstream.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=amount)
    intent["metadata"] = metadata
    charge = world.get("charge", intent["latest_charge"])
    _take(world, intent, charge, amount)
    world.tell("charge.captured", charge)
    world.tell("payment_intent.succeeded", intent)


def cancel(world: World, intent: JSON, reason: str | None) -> None:
    """Let the held money go, or end the attempt. Raises StripeError when it is too late, or its Checkout is still open."""
    if intent["status"] not in CAN_CANCEL:
        raise _unexpected(world, intent, "canceled")
    if world.books.all("checkout.session", payment_intent=intent["id"], status="open"):
        raise refused(
            "You cannot cancel the PaymentIntent of an open Checkout Session. Expire the Checkout Session instead."
        )
    _end(world, intent, reason, "charge.refunded")


def lapse(world: World, intent: JSON) -> None:
    """Let a hold end as it does when nobody captures it in time."""
    assert intent["status"] == "requires_capture"
    _end(world, intent, "expired", "charge.expired")


def _end(world: World, intent: JSON, reason: str | None, about_the_charge: str) -> None:
    held = intent["status"] == "requires_capture"
    world.upstream.post(f"/v1/payment_intents/{intent['id']}/cancel")
    intent.update(status="canceled", amount_capturable=0, canceled_at=now(), cancellation_reason=reason, next_action=None)
    if held:
        charge = world.get("charge", intent["latest_charge"])
        # No money came, and yet Stripe calls it refunded.
        charge.update(amount_refunded=charge["amount"], refunded=True)
        world.tell(about_the_charge, charge)
    world.tell("payment_intent.canceled", intent)


def list_of(world: World, kind: str, query: JSON, *, url: str, by: tuple[str, ...]) -> JSON:
    """Return a page of all objects of a kind; `by` names the parameters that are the objects' own fields."""
    return page(world.books.all(kind, **{name: query[name] for name in by if name in query}), query, url=url)
