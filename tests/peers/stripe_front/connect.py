"""Connect: the accounts of those who are paid, their onboarding, and transfers to them."""

from tests.peers.stripe_front.books import JSON, now, random_id
from tests.peers.stripe_front.errors import StripeError, refused
from tests.peers.stripe_front.payments import balance_transaction, list_of
from tests.peers.stripe_front.world import Handlers, World, merged
from tests.peers.stripe_spec import Checked

LINK_SECONDS = 300
STILL_DUE = ["external_account", "individual.dob.day", "individual.last_name", "tos_acceptance.date"]


def _create(world: World, request: Checked) -> JSON:
    body = request.body
    wanted = body.get("capabilities", {})
    return world.books.add(
        "account",
        business_profile=body.get("business_profile", {}),
        business_type=body.get("business_type"),
        capabilities={name: "inactive" for name, asked in wanted.items() if asked.get("requested")},
        charges_enabled=False,
        country=body.get("country", "DE"),
        default_currency="eur",
        details_submitted=False,
        email=body.get("email"),
        metadata=merged({}, body.get("metadata")),
        payouts_enabled=False,
        requirements=_requirements(STILL_DUE, "requirements.past_due"),
        settings=None,
        type=body.get("type", "standard"),
    )


def _requirements(due: list[str], disabled: str | None) -> JSON:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": disabled,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def set_onboarded(world: World, account: JSON, *, enabled: bool, disabled_reason: str | None = None) -> None:
    """Say what Stripe thinks of the account: may it be paid? Without, `disabled_reason` says why, as Stripe words it."""
    account["details_submitted"] = True
    account["payouts_enabled"] = account["charges_enabled"] = enabled
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active" if enabled else "inactive")
    account["requirements"] = _requirements([] if enabled else STILL_DUE[:1], None if enabled else disabled_reason)
    world.tell("account.updated", account, account=account["id"])


def _retrieve(world: World, request: Checked) -> JSON:
    return _account(world, request.names["account"])


def _account(world: World, key: str) -> JSON:
    account = world.books.find("account", key)
    if account is None:
        raise StripeError(
            403,
            "invalid_request_error",
            f"The provided key does not have access to account '{key}' (or that account does not exist).",
            code="account_invalid",
        )
    return account


def _link(world: World, request: Checked) -> JSON:
    body = request.body
    account = _account(world, body["account"])
    if body["type"] == "account_onboarding" and not {"return_url", "refresh_url"} <= body.keys():
        raise refused("You must provide `return_url` and `refresh_url`.", code="parameter_missing", param="return_url")
    token = random_id("")
    world.links[token] = {"account": account["id"], "return_url": body["return_url"]}
    url = f"{world.url}/onboarding/{account['id']}/{token}"
    return {"object": "account_link", "created": now(), "expires_at": now() + LINK_SECONDS, "url": url}


def _login_link(world: World, request: Checked) -> JSON:
    account = _account(world, request.names["account"])
    if account["type"] != "express":
        raise refused(f"Cannot create a login link for the account {account['id']}: it is no Express account.")
    if not account["details_submitted"]:
        raise refused("Cannot create a login link for an account that has not completed onboarding.")
    return {"object": "login_link", "created": now(), "url": f"{world.url}/express/{account['id']}"}


def _transfer(world: World, request: Checked) -> JSON:
    body = request.body
    account = world.get("account", body["destination"], "destination")
    if account["capabilities"].get("transfers") != "active":
        raise refused(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            code="insufficient_capabilities_for_transfer",
        )
    amount: int = body.get("amount", 0)
    if amount < 1:
        raise refused("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if "source_transaction" in body:
        charge = world.get("charge", body["source_transaction"], "source_transaction")
        sent = sum(each["amount"] for each in world.books.all("transfer", source_transaction=charge["id"]))
        if sent + amount > charge["amount_captured"]:
            raise refused("The transfers from a charge cannot be more than the charge.", param="amount")
    transfer = world.books.add(
        "transfer",
        amount=amount,
        amount_reversed=0,
        currency=body["currency"].lower(),
        description=body.get("description"),
        destination=account["id"],
        destination_payment=random_id("py_"),
        metadata=merged({}, body.get("metadata")),
        reversals={"object": "list", "data": [], "has_more": False, "url": ""},
        reversed=False,
        source_transaction=body.get("source_transaction"),
        source_type="card",
        transfer_group=body.get("transfer_group"),
    )
    transfer["reversals"]["url"] = f"/v1/transfers/{transfer['id']}/reversals"
    moved = balance_transaction(world, "transfer", transfer["id"], -amount, transfer["currency"])
    transfer["balance_transaction"] = moved["id"]
    world.tell("transfer.created", transfer)
    return transfer


def reverse(world: World, transfer: JSON, amount: int | None, metadata: JSON) -> JSON:
    """Take a transfer back, all that is left of it unless `amount` says less. Raises StripeError when that is too much."""
    left: int = transfer["amount"] - transfer["amount_reversed"]
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise refused(f"Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})", param="amount")
    reversal = world.books.add(
        "transfer_reversal",
        amount=amount,
        balance_transaction=balance_transaction(world, "transfer_refund", transfer["id"], amount, transfer["currency"])[
            "id"
        ],
        currency=transfer["currency"],
        metadata=metadata,
        transfer=transfer["id"],
    )
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, reversal)
    world.tell("transfer.reversed", transfer)
    return reversal


def _find_transfer(world: World, request: Checked) -> JSON:
    return world.get("transfer", request.names.get("transfer") or request.names["id"], "transfer")


def _reverse(world: World, request: Checked) -> JSON:
    metadata = merged({}, request.body.get("metadata"))
    return reverse(world, _find_transfer(world, request), request.body.get("amount"), metadata)


def _list(world: World, request: Checked) -> JSON:
    return list_of(world, "transfer", request.query, url="/v1/transfers", by=("destination", "transfer_group"))


HANDLERS: Handlers = {
    "POST /v1/accounts": _create,
    "GET /v1/accounts/{account}": _retrieve,
    "POST /v1/accounts/{account}/login_links": _login_link,
    "POST /v1/account_links": _link,
    "POST /v1/transfers": _transfer,
    "GET /v1/transfers": _list,
    "GET /v1/transfers/{transfer}": _find_transfer,
    "POST /v1/transfers/{id}/reversals": _reverse,
}
