"""Disputes: the cardholder's bank takes the money back, until one side wins."""

from tests.peers.stripe_front.books import JSON, now
from tests.peers.stripe_front.errors import refused
from tests.peers.stripe_front.payments import balance_transaction, list_of
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked

FEE = 2000
ANSWER_WITHIN_SECONDS = 7 * 86400
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def open_dispute(world: World, *, intent: JSON, amount: int | None, reason: str, status: str) -> JSON:
    """Dispute a payment, all of it unless `amount` says less. A `warning_…` is an inquiry: no money moves."""
    charge = world.get("charge", intent["latest_charge"])
    assert charge["captured"], "only a captured payment can be disputed"
    inquiry = status.startswith("warning_")
    charge["disputed"] = True
    dispute = world.books.add(
        "dispute",
        amount=charge["amount_captured"] if amount is None else amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={"enhanced_evidence": {}},
        evidence_details={
            "due_by": now() + ANSWER_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=inquiry,
        metadata={},
        payment_intent=intent["id"],
        reason=reason,
        status=status,
    )
    if not inquiry:
        _move(world, dispute, -dispute["amount"], FEE)
    world.tell("charge.dispute.created", dispute)
    if not inquiry:
        world.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _move(world: World, dispute: JSON, amount: int, fee: int) -> None:
    moved = balance_transaction(world, "adjustment", dispute["id"], amount, dispute["currency"], fee)
    dispute["balance_transactions"].append(moved)


def change(world: World, dispute: JSON, status: str) -> None:
    """Set the status. "won" brings the money back, "lost" does not; these and "warning_closed" close the dispute."""
    was, dispute["status"] = dispute["status"], status
    if was.startswith("warning_") and status == "needs_response":
        # The inquiry became a dispute.
        dispute["is_charge_refundable"] = False
        _move(world, dispute, -dispute["amount"], FEE)
        world.tell("charge.dispute.funds_withdrawn", dispute)
    if status in OPEN:
        world.tell("charge.dispute.updated", dispute)
        return
    dispute["is_charge_refundable"] = status == "warning_closed"
    if status == "won":
        _move(world, dispute, dispute["amount"], 0)
        # Stripe says so before or after the closing; the order is no promise.
        world.tell("charge.dispute.funds_reinstated", dispute)
    world.tell("charge.dispute.closed", dispute)


def _retrieve(world: World, request: Checked) -> JSON:
    return world.get("dispute", request.names["dispute"], "dispute")


def _update(world: World, request: Checked) -> JSON:
    dispute = _retrieve(world, request)
    if dispute["status"] not in OPEN:
        raise refused("This dispute is already closed.", param="dispute")
    dispute["metadata"] = merged(dispute["metadata"], request.body.get("metadata"))
    if "evidence" in request.body:
        dispute["evidence"] = {**dispute["evidence"], **request.body["evidence"]}
        dispute["evidence_details"]["has_evidence"] = True
        if request.body.get("submit", True):
            dispute["evidence_details"]["submission_count"] += 1
            dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    world.tell("charge.dispute.updated", dispute)
    return dispute


def _close(world: World, request: Checked) -> JSON:
    dispute = _retrieve(world, request)
    if dispute["status"] not in OPEN:
        raise refused("This dispute is already closed.", param="dispute")
    change(world, dispute, "lost")
    return dispute


def _list(world: World, request: Checked) -> JSON:
    return list_of(world, "dispute", request.query, url="/v1/disputes", by=("payment_intent", "charge"))


HANDLERS: Handlers = {
    "GET /v1/disputes": _list,
    "GET /v1/disputes/{dispute}": _retrieve,
    "POST /v1/disputes/{dispute}": _update,
    "POST /v1/disputes/{dispute}/close": _close,
}
