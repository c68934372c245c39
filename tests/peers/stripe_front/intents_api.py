"""What the API takes and answers for payment intents and charges."""

from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.customers import usable
from tests.peers.stripe_front.errors import refused
from tests.peers.stripe_front.payments import cancel, capture, confirm, list_of, new_intent
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked

KEPT = ("description", "receipt_email", "setup_future_usage", "statement_descriptor_suffix", "transfer_group")


def _create(world: World, request: Checked) -> JSON:
    body = request.body
    if body.get("off_session") and not body.get("confirm"):
        raise refused("The `off_session` parameter can only be used with `confirm`.", param="off_session")
    if body.get("confirm"):
        _needs_return_url(body)
        if "payment_method" not in body:
            raise refused("You cannot confirm this PaymentIntent because it's missing a payment method.")
    intent = new_intent(world, body)
    if body.get("confirm"):
        _confirm_as_asked(world, intent, body)
    return intent


def _needs_return_url(body: JSON) -> None:
    redirects = body.get("automatic_payment_methods", {}).get("allow_redirects", "always")
    if "payment_method_types" not in body and redirects != "never" and "return_url" not in body:
        raise refused(
            "This PaymentIntent accepts payment methods that might redirect your customer away, so you must provide "
            "a `return_url`, or say `payment_method_types`, or set `automatic_payment_methods[allow_redirects]` to `never`.",
            param="return_url",
        )


def _confirm_as_asked(world: World, intent: JSON, body: JSON) -> None:
    method = usable(world, body.get("payment_method") or intent["payment_method"] or "", intent["customer"])
    # `off_session` may be a text too ("one_off", "recurring"): the customer is away.
    confirm(world, intent, method=method, return_url=body.get("return_url"), off_session=bool(body.get("off_session")))


def _find(world: World, request: Checked) -> JSON:
    return world.get("payment_intent", request.names["intent"], "intent")


def _update(world: World, request: Checked) -> JSON:
    intent = _find(world, request)
    intent["metadata"] = merged(intent["metadata"], request.body.get("metadata"))
    intent.update({key: request.body[key] for key in KEPT if key in request.body})
    return intent


def _confirm(world: World, request: Checked) -> JSON:
    intent = _find(world, request)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise refused(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=world.books.shown(intent, []),
        )
    _confirm_as_asked(world, intent, request.body)
    return intent


def _capture(world: World, request: Checked) -> JSON:
    intent = _find(world, request)
    metadata = merged(intent["metadata"], request.body.get("metadata"))
    capture(world, intent, request.body.get("amount_to_capture"), metadata)
    return intent


def _cancel(world: World, request: Checked) -> JSON:
    intent = _find(world, request)
    cancel(world, intent, request.body.get("cancellation_reason"))
    return intent


def _list(world: World, request: Checked) -> JSON:
    return list_of(world, "payment_intent", request.query, url="/v1/payment_intents", by=("customer",))


def _charge(world: World, request: Checked) -> JSON:
    return world.get("charge", request.names["charge"], "charge")


def _charges(world: World, request: Checked) -> JSON:
    by = ("customer", "payment_intent", "transfer_group")
    return list_of(world, "charge", request.query, url="/v1/charges", by=by)


def _balance_transaction(world: World, request: Checked) -> JSON:
    return world.get("balance_transaction", request.names["id"])


HANDLERS: Handlers = {
    "POST /v1/payment_intents": _create,
    "GET /v1/payment_intents": _list,
    "GET /v1/payment_intents/{intent}": _find,
    "POST /v1/payment_intents/{intent}": _update,
    "POST /v1/payment_intents/{intent}/confirm": _confirm,
    "POST /v1/payment_intents/{intent}/capture": _capture,
    "POST /v1/payment_intents/{intent}/cancel": _cancel,
    "GET /v1/charges": _charges,
    "GET /v1/charges/{charge}": _charge,
    "GET /v1/balance_transactions/{id}": _balance_transaction,
}
