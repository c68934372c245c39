"""Checkout Sessions: made, paid on the hosted page, expired."""

from tests.peers.stripe_front.books import JSON, now, random_id
from tests.peers.stripe_front.customers import attach, card_of, new_card, new_customer
from tests.peers.stripe_front.errors import StripeError, refused
from tests.peers.stripe_front.payments import REFUSED_AT_THE_BANK, answer_bank, ask_the_bank, confirm, list_of, new_intent
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked

SHORTEST_SECONDS, LONGEST_SECONDS = 30 * 60, 24 * 3600
# A few seconds pass between a client's clock and ours.
LEEWAY_SECONDS = 60


def _create(world: World, request: Checked) -> JSON:
    body = request.body
    mode = body.get("mode")
    if mode not in ("payment", "setup"):
        raise refused("The stand-in has the modes payment and setup.", param="mode")
    if "success_url" not in body:
        raise refused("Missing required param: success_url.", code="parameter_missing", param="success_url")
    if body.get("customer") is not None:
        world.get("customer", body["customer"], "customer")
    expires = body.get("expires_at", now() + LONGEST_SECONDS)
    if not now() + SHORTEST_SECONDS - LEEWAY_SECONDS <= expires <= now() + LONGEST_SECONDS + LEEWAY_SECONDS:
        raise refused("`expires_at` must be between 30 minutes and 24 hours from now.", param="expires_at")
    total, currency, title = _what_is_sold(body) if mode == "payment" else _what_is_saved(body)
    key = random_id("cs_test_")
    session = world.books.add(
        "checkout.session",
        id=key,
        amount_subtotal=total,
        amount_total=total,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        cancel_url=body.get("cancel_url"),
        client_reference_id=body.get("client_reference_id"),
        currency=currency,
        custom_fields=[],
        custom_text={"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        customer=body.get("customer"),
        customer_creation=body.get("customer_creation", "if_required"),
        customer_email=body.get("customer_email"),
        expires_at=expires,
        locale=body.get("locale"),
        metadata=merged({}, body.get("metadata")),
        mode=mode,
        payment_intent=None,
        payment_method_types=body.get("payment_method_types", ["card"]),
        payment_status="unpaid" if mode == "payment" else "no_payment_required",
        setup_intent=None,
        shipping_options=[],
        status="open",
        submit_type=body.get("submit_type"),
        success_url=body["success_url"],
        ui_mode="hosted_page",
        url=f"{world.url}/pay/{key}",
    )
    world.plans[key] = {"title": title, "data": body.get("payment_intent_data", {})}
    if mode == "setup":
        session["setup_intent"] = _new_setup(world, body)["id"]
    return session


def _what_is_sold(body: JSON) -> tuple[int, str, str]:
    items: list[JSON] = body.get("line_items", [])
    if not items:
        raise refused("You must provide `line_items` in `payment` mode.", code="parameter_missing", param="line_items")
    prices = [item.get("price_data", {}) for item in items]
    if any("unit_amount" not in price or "product_data" not in price for price in prices):
        raise refused(
            "The stand-in knows no prices: say `price_data` with `unit_amount` and `product_data`.", param="line_items"
        )
    if len({price["currency"] for price in prices}) > 1:
        raise refused("All line items must have the same currency.", param="line_items")
    total = sum(price["unit_amount"] * item.get("quantity", 1) for price, item in zip(prices, items, strict=True))
    return total, prices[0]["currency"].lower(), ", ".join(price["product_data"]["name"] for price in prices)


def _what_is_saved(body: JSON) -> tuple[None, str | None, str]:
    if "line_items" in body or "payment_intent_data" in body:
        raise refused("`line_items` and `payment_intent_data` cannot be used in `setup` mode.")
    if "currency" not in body and "payment_method_types" not in body:
        raise refused("You must provide `currency` or `payment_method_types` in `setup` mode.", param="currency")
    return None, body.get("currency"), "Save a card"


def _new_setup(world: World, body: JSON) -> JSON:
    data = body.get("setup_intent_data", {})
    key = random_id("seti_")
    intent = world.books.add(
        "setup_intent",
        id=key,
        cancellation_reason=None,
        client_secret=f"{key}_secret_{random_id('')}",
        customer=body.get("customer"),
        description=data.get("description"),
        last_setup_error=None,
        metadata=merged({}, data.get("metadata")),
        next_action=None,
        payment_method=None,
        payment_method_types=["card"],
        status="requires_payment_method",
        usage="off_session",
    )
    world.tell("setup_intent.created", intent)
    return intent


def _retrieve(world: World, request: Checked) -> JSON:
    session = world.get("checkout.session", request.names["session"], "session")
    lapse_when_due(world, session)
    return session


def _expire(world: World, request: Checked) -> JSON:
    session = _retrieve(world, request)
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
    expire(world, session)
    return session


def expire(world: World, session: JSON) -> None:
    """End an open session; nobody can pay on its page any more."""
    session.update(status="expired", url=None)
    intent = world.books.find("payment_intent", session["payment_intent"] or "")
    if intent is not None:
        world.upstream.post(f"/v1/payment_intents/{intent['id']}/cancel")
        intent.update(status="canceled", canceled_at=now(), next_action=None)
        world.tell("payment_intent.canceled", intent)
    setup = world.books.find("setup_intent", session["setup_intent"] or "")
    if setup is not None:
        setup.update(status="canceled", next_action=None)
        world.tell("setup_intent.canceled", setup)
    world.tell("checkout.session.expired", session)


def lapse_when_due(world: World, session: JSON) -> None:
    """Expire the session where its time is over."""
    if session["status"] == "open" and session["expires_at"] <= now():
        expire(world, session)


def pay(world: World, session: JSON, number: str) -> str:
    """Press the page's button with a card; return where the customer goes next. Raises StripeError when declined."""
    method = new_card(world, number)
    kept_for_later = "setup_future_usage" in world.plans[session["id"]]["data"]
    if session["customer"] is None and (kept_for_later or session["customer_creation"] == "always"):
        session["customer"] = new_customer(world, {"email": session["customer_email"]})["id"]
    if session["mode"] == "setup":
        return _save(world, session, method)
    return _hold(world, session, method)


def _hold(world: World, session: JSON, method: JSON) -> str:
    intent = world.books.find("payment_intent", session["payment_intent"] or "")
    if intent is None:
        body = {"amount": session["amount_total"], "currency": session["currency"], "customer": session["customer"]}
        intent = new_intent(world, {**world.plans[session["id"]]["data"], **body})
        session["payment_intent"] = intent["id"]
    confirm(world, intent, method=method, return_url=session["url"], off_session=False)
    if intent["status"] == "requires_action":
        return f"{world.url}/bank/{intent['id']}"
    return _complete(world, session)


def _save(world: World, session: JSON, method: JSON) -> str:
    intent = world.get("setup_intent", session["setup_intent"])
    card = card_of(world, method)
    intent["customer"] = session["customer"]
    intent["payment_method"] = method["id"]
    if card.declined is not None:
        problem = {"code": "card_declined", "decline_code": card.declined}
        intent["payment_method"] = None
        intent["last_setup_error"] = {"type": "card_error", "message": "Your card was declined.", **problem}
        world.tell("setup_intent.setup_failed", intent)
        raise StripeError(402, "card_error", "Your card was declined.", **problem)
    if card.needs_authentication:
        ask_the_bank(world, intent, session["url"])
        world.tell("setup_intent.requires_action", intent)
        return f"{world.url}/bank/{intent['id']}"
    return _saved(world, session, intent)


def _saved(world: World, session: JSON, intent: JSON) -> str:
    if session["customer"] is not None:
        attach(world, world.get("payment_method", intent["payment_method"]), session["customer"])
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    world.tell("setup_intent.succeeded", intent)
    return _complete(world, session)


def _complete(world: World, session: JSON) -> str:
    session.update(status="complete", url=None)
    world.tell("checkout.session.completed", session)
    address: str = session["success_url"]
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])


def bank_answered(world: World, session: JSON, intent: JSON, *, approved: bool) -> str:
    """Take the bank's answer for what was started on the session's page; return where the customer goes next."""
    if intent["object"] == "payment_intent":
        answer_bank(world, intent, approved=approved)
        if approved:
            return _complete(world, session)
    elif approved:
        return _saved(world, session, intent)
    else:
        problem = {"code": "setup_intent_authentication_failure", "message": REFUSED_AT_THE_BANK}
        intent.update(status="requires_payment_method", payment_method=None, next_action=None)
        intent["last_setup_error"] = {"type": "card_error", **problem}
        world.tell("setup_intent.setup_failed", intent)
    return f"{world.url}/pay/{session['id']}?refused=1"


def _list(world: World, request: Checked) -> JSON:
    by = ("customer", "payment_intent", "status")
    return list_of(world, "checkout.session", request.query, url="/v1/checkout/sessions", by=by)


def _setup_intent(world: World, request: Checked) -> JSON:
    return world.get("setup_intent", request.names["intent"], "intent")


HANDLERS: Handlers = {
    "POST /v1/checkout/sessions": _create,
    "GET /v1/checkout/sessions": _list,
    "GET /v1/checkout/sessions/{session}": _retrieve,
    "POST /v1/checkout/sessions/{session}/expire": _expire,
    "GET /v1/setup_intents/{intent}": _setup_intent,
}
