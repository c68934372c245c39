"""Customers and their saved cards."""

from tests.peers.stripe_front.books import JSON, page
from tests.peers.stripe_front.cards import APPROVED, CARDS, Card
from tests.peers.stripe_front.errors import StripeError, refused
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked


def new_customer(world: World, body: JSON) -> JSON:
    """Make a customer."""
    made = world.upstream.post("/v1/customers", email=body.get("email"), name=body.get("name"))
    customer = world.books.add(
        "customer",
        id=made["id"],
        email=body.get("email"),
        name=body.get("name"),
        description=body.get("description"),
        phone=body.get("phone"),
        metadata=merged({}, body.get("metadata")),
        balance=0,
        delinquent=False,
        default_source=None,
        shipping=None,
    )
    world.tell("customer.created", customer)
    return customer


def _create(world: World, request: Checked) -> JSON:
    return new_customer(world, request.body)


def _retrieve(world: World, request: Checked) -> JSON:
    return world.get("customer", request.names["customer"], "customer")


def _update(world: World, request: Checked) -> JSON:
    customer = _retrieve(world, request)
    customer["metadata"] = merged(customer["metadata"], request.body.get("metadata"))
    customer.update({key: request.body[key] for key in ("email", "name", "description", "phone") if key in request.body})
    world.tell("customer.updated", customer)
    return customer


def _list(world: World, request: Checked) -> JSON:
    return page(world.books.all("customer"), request.query, url="/v1/customers")


def new_card(world: World, number: str) -> JSON:
    """Make a payment method of a test card. Raises StripeError for a number that is none."""
    if number not in CARDS:
        raise StripeError(402, "card_error", "Your card number is incorrect.", code="incorrect_number", param="number")
    card = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2040", "card[cvc]": "123"}
    made = world.upstream.post("/v1/payment_methods", type="card", **card)
    method = world.books.add(
        "payment_method",
        id=made["id"],
        type="card",
        allow_redisplay="unspecified",
        billing_details={"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        card={**made["card"], "checks": None, "display_brand": "visa", "generated_from": None, "wallet": None},
        customer=None,
        metadata={},
    )
    world.numbers[method["id"]] = number
    return method


def card_of(world: World, method: JSON) -> Card:
    """Return how the payment method's card behaves."""
    return CARDS[world.numbers[method["id"]]]


def attach(world: World, method: JSON, customer: str) -> None:
    """Save the card with the customer, unless it is already."""
    if method["customer"] == customer:
        return
    if method["customer"] is not None:
        raise refused("The payment method you provided has already been attached to a customer.")
    if card_of(world, method).declined is None:
        world.upstream.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer)
    method["customer"] = customer
    world.tell("payment_method.attached", method)


def usable(world: World, key: str, customer: str | None) -> JSON:
    """Return the payment method, for a payment of this customer. Raises StripeError when it may not be used for it."""
    method = world.get("payment_method", key, "payment_method")
    if key in world.detached:
        raise refused(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, "
            "and may not be used again."
        )
    if method["customer"] is not None and method["customer"] != customer:
        raise refused(
            "The payment method supplied belongs to a Customer. Please include that Customer in the `customer` parameter.",
            param="customer",
        )
    return method


def _create_method(world: World, request: Checked) -> JSON:
    card = request.body.get("card")
    if request.body.get("type") != "card" or not isinstance(card, dict) or "number" not in card:
        raise refused("The stand-in makes payment methods of cards, from a test card's number.")
    return new_card(world, card["number"])


def _retrieve_method(world: World, request: Checked) -> JSON:
    return world.get("payment_method", request.names["payment_method"], "payment_method")


def _attach_method(world: World, request: Checked) -> JSON:
    method = _retrieve_method(world, request)
    customer = world.get("customer", request.body.get("customer", ""), "customer")
    usable(world, method["id"], customer["id"])
    declined = card_of(world, method).declined
    if declined is not None:
        raise StripeError(402, "card_error", "Your card was declined.", code="card_declined", decline_code=declined)
    attach(world, method, customer["id"])
    return method


def _detach_method(world: World, request: Checked) -> JSON:
    method = _retrieve_method(world, request)
    if method["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    world.upstream.post(f"/v1/payment_methods/{method['id']}/detach")
    method["customer"] = None
    world.detached.add(method["id"])
    world.tell("payment_method.detached", method)
    return method


def _list_methods(world: World, request: Checked) -> JSON:
    customer = request.names.get("customer") or request.query.get("customer")
    found = world.books.all("payment_method", customer=customer) if customer else []
    kind = request.query.get("type", "card")
    return page(found, request.query, url="/v1/payment_methods", wanted=lambda method: method["type"] == kind)


def save_card(world: World, *, customer: str, number: str = APPROVED) -> JSON:
    """Save a test card with a customer, whatever the card would say to it."""
    method = new_card(world, number)
    attach(world, method, world.get("customer", customer, "customer")["id"])
    return method


HANDLERS: Handlers = {
    "POST /v1/customers": _create,
    "GET /v1/customers": _list,
    "GET /v1/customers/{customer}": _retrieve,
    "POST /v1/customers/{customer}": _update,
    "GET /v1/customers/{customer}/payment_methods": _list_methods,
    "POST /v1/payment_methods": _create_method,
    "GET /v1/payment_methods": _list_methods,
    "GET /v1/payment_methods/{payment_method}": _retrieve_method,
    "POST /v1/payment_methods/{payment_method}/attach": _attach_method,
    "POST /v1/payment_methods/{payment_method}/detach": _detach_method,
}
