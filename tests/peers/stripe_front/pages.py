"""The hosted pages: Checkout, the bank's 3-D Secure, and Connect's onboarding. Plain, and the same for people and tests."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.cards import CARDS
from tests.peers.stripe_front.checkout import bank_answered, lapse_when_due, pay
from tests.peers.stripe_front.connect import set_onboarded
from tests.peers.stripe_front.errors import StripeError
from tests.peers.stripe_front.payments import REFUSED_AT_THE_BANK, answer_bank
from tests.peers.stripe_front.world import World

# A page, or where to go instead.
Page = tuple[int, str]


def show(world: World, path: str, query: Mapping[str, str]) -> Page:
    """Return the status and the page at an address."""
    kind, key = _parts(path)
    if kind == "pay" and (session := world.books.find("checkout.session", key)) is not None:
        lapse_when_due(world, session)
        return _checkout(world, session, REFUSED_AT_THE_BANK if "refused" in query else "")
    if kind == "bank" and (intent := _waiting(world, key)) is not None:
        return 200, _form("Your bank", _asked(intent), {"approved": "Approve", "refused": "Refuse"})
    if kind == "onboarding" and path.rsplit("/", 1)[1] in world.links:
        return 200, _form("Get paid with Stripe", "Tell Stripe who you are.", {"finish": "Finish"})
    if kind == "express" and (account := world.books.find("account", key)) is not None:
        return 200, _html("Express dashboard", f"<p>{escape(account['id'])}</p>")
    return 404, _html("Nothing here", "<p>Stripe has no such page.</p>")


def press(world: World, path: str, form: Mapping[str, str]) -> Page:
    """Press a button of a page. Returns 303 and an address, or the page again."""
    kind, key = _parts(path)
    action = form.get("action", "")
    if kind == "pay" and (session := world.books.find("checkout.session", key)) is not None:
        return _pay(world, session, action, form.get("card", ""))
    if kind == "bank" and (intent := _waiting(world, key)) is not None and action in ("approved", "refused"):
        return 303, _from_bank(world, intent, approved=action == "approved")
    link = world.links.get(path.rsplit("/", 1)[1]) if kind == "onboarding" else None
    if link is not None and action == "finish":
        set_onboarded(world, world.get("account", link["account"]), enabled=True)
        return 303, link["return_url"]
    return 404, _html("Nothing here", "<p>Stripe has no such page, or it was used.</p>")


def _parts(path: str) -> tuple[str, str]:
    parts = path.split("/")
    return (parts[1], parts[2]) if len(parts) > 2 else ("", "")


def _waiting(world: World, key: str) -> JSON | None:
    intent = world.books.find("payment_intent", key) or world.books.find("setup_intent", key)
    return intent if intent is not None and intent["status"] == "requires_action" else None


def _asked(intent: JSON) -> str:
    if intent["object"] == "setup_intent":
        return "Do you want to save your card?"
    return f"Do you approve {_money(intent['amount'], intent['currency'])}?"


def _pay(world: World, session: JSON, action: str, number: str) -> Page:
    lapse_when_due(world, session)
    if action == "back" and session["cancel_url"] is not None:
        return 303, session["cancel_url"]
    if session["status"] != "open" or action != "pay":
        return _checkout(world, session, "")
    try:
        return 303, pay(world, session, number)
    except StripeError as problem:
        return _checkout(world, session, str(problem))


def _from_bank(world: World, intent: JSON, *, approved: bool) -> str:
    field = intent["object"]
    for session in world.books.all("checkout.session", status="open"):
        if session[field] == intent["id"]:
            return bank_answered(world, session, intent, approved=approved)
    answer_bank(world, intent, approved=approved)
    said = {field: intent["id"], f"{field}_client_secret": intent["client_secret"], "source_type": "card"}
    address = urlsplit(world.returns[intent["id"]])
    return urlunsplit(address._replace(query=urlencode([*parse_qsl(address.query), *said.items()])))


def _checkout(world: World, session: JSON, problem: str) -> Page:
    if session["status"] == "complete":
        return 200, _html("Checkout", "<p>You have already paid here.</p>")
    if session["status"] == "expired":
        return 404, _html("Checkout", "<p>This page has expired.</p>")
    plan = world.plans[session["id"]]
    held = plan["data"].get("capture_method") == "manual"
    due = "" if session["amount_total"] is None else _money(session["amount_total"], session["currency"])
    options = "".join(f'<option value="{number}">{number} – {card.label}</option>' for number, card in CARDS.items())
    inside = (
        f"<p>{escape(due)}{' is held on your card' if held else ''}</p>"
        f'<p role="alert">{escape(problem)}</p>'
        f'<p><label>Card <select name="card">{options}</select></label></p>'
    )
    buttons = {"pay": "Save card" if session["mode"] == "setup" else "Pay"}
    if session["cancel_url"] is not None:
        buttons["back"] = "Back"
    return 200, _form(plan["title"], "", buttons, inside)


def _money(amount: int, currency: str) -> str:
    return f"{amount // 100}.{amount % 100:02d} {currency.upper()}"


def _form(title: str, text: str, buttons: Mapping[str, str], inside: str = "") -> str:
    pressed = "".join(f'<button name="action" value="{action}">{label}</button> ' for action, label in buttons.items())
    return _html(title, f'<p>{escape(text)}</p><form method="post">{inside}{pressed}</form>')


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1>{body}"
        "<p><small>Stripe stand-in: no real money moves.</small></p>"
    )
