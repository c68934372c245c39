"""Refunds: never more than was taken, and not all of them arrive."""

from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.errors import refused
from tests.peers.stripe_front.payments import balance_transaction, list_of
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked


def new_refund(world: World, body: JSON) -> JSON:
    """Give money back. `body` is as for POST /v1/refunds. Raises StripeError."""
    charge = _charge_of(world, body)
    intent = world.get("payment_intent", charge["payment_intent"])
    left: int = charge["amount"] - charge["amount_refunded"]
    disputes = world.books.all("dispute", charge=charge["id"])
    if any(not dispute["is_charge_refundable"] for dispute in disputes):
        raise refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left <= 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = body.get("amount", left)
    if amount < 1:
        raise refused("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise refused(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    made = world.upstream.post("/v1/refunds", charge=charge["id"], amount=amount)
    refund = world.books.add(
        "refund",
        id=made["id"],
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=merged({}, body.get("metadata")),
        payment_intent=intent["id"],
        reason=body.get("reason"),
        receipt_number=None,
        source_transfer_reversal=None,
        status="succeeded",
        transfer_reversal=None,
    )
    refund["balance_transaction"] = balance_transaction(world, "refund", refund["id"], -amount, refund["currency"])["id"]
    _count(charge, amount)
    becomes = world.refund_statuses.pop(0) if world.refund_statuses else "succeeded"
    if becomes == "pending":
        refund.update(status="pending", pending_reason="processing")
    world.tell("refund.created", refund)
    world.tell("charge.refunded", charge)
    if becomes == "failed":
        settle(world, refund, "failed")
    return refund


def _charge_of(world: World, body: JSON) -> JSON:
    if ("charge" in body) == ("payment_intent" in body):
        raise refused("One of the following params should be provided for this request: payment_intent or charge.")
    if "charge" in body:
        charge = world.get("charge", body["charge"], "charge")
    else:
        intent = world.get("payment_intent", body["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise refused(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = world.get("charge", intent["latest_charge"])
    if not charge["captured"]:
        raise refused(f"Charge {charge['id']} is not captured: there is nothing to refund.")
    return charge


def _count(charge: JSON, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]


def settle(world: World, refund: JSON, status: str) -> None:
    """Say how the refund ended: "succeeded", "pending", "canceled", or "failed", which brings the money back to us."""
    refund["status"] = status
    refund.pop("pending_reason", None)
    if status == "failed":
        refund["failure_reason"] = "lost_or_stolen_card"
        back = balance_transaction(world, "refund_failure", refund["id"], refund["amount"], refund["currency"])
        refund["failure_balance_transaction"] = back["id"]
    if status in ("failed", "canceled"):
        _count(world.get("charge", refund["charge"]), -refund["amount"])
    world.tell("refund.updated", refund)
    if status == "failed":
        world.tell("refund.failed", refund)


def _create(world: World, request: Checked) -> JSON:
    return new_refund(world, request.body)


def _retrieve(world: World, request: Checked) -> JSON:
    return world.get("refund", request.names["refund"], "refund")


def _update(world: World, request: Checked) -> JSON:
    refund = _retrieve(world, request)
    refund["metadata"] = merged(refund["metadata"], request.body.get("metadata"))
    world.tell("refund.updated", refund)
    return refund


def _list(world: World, request: Checked) -> JSON:
    return list_of(world, "refund", request.query, url="/v1/refunds", by=("payment_intent", "charge"))


HANDLERS: Handlers = {
    "POST /v1/refunds": _create,
    "GET /v1/refunds": _list,
    "GET /v1/refunds/{refund}": _retrieve,
    "POST /v1/refunds/{refund}": _update,
}
