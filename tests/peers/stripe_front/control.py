"""How a test plays Stripe's other side: `POST /_control/<name>` with JSON, answered with JSON."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.peers.stripe_front.books import JSON
from tests.peers.stripe_front.checkout import expire
from tests.peers.stripe_front.connect import reverse, set_onboarded
from tests.peers.stripe_front.customers import save_card
from tests.peers.stripe_front.disputes import change, open_dispute
from tests.peers.stripe_front.faults import Fault, Kind
from tests.peers.stripe_front.payments import lapse
from tests.peers.stripe_front.refunds import new_refund, settle
from tests.peers.stripe_front.webhooks import Delivery
from tests.peers.stripe_front.world import World

Control = Callable[..., Any]


def _reset(world: World) -> None:
    world.forget()
    world.upstream.forget()


def _webhooks(world: World, *, url: str, secret: str, delivery: Delivery) -> None:
    world.webhooks.url, world.webhooks.secret, world.webhooks.delivery = url, secret, delivery


def _events(world: World) -> list[JSON]:
    return list(world.webhooks.events.values())


def _deliveries(world: World) -> list[JSON]:
    return list(world.webhooks.deliveries)


def _signed(world: World, *, event: str) -> JSON:
    body, header = world.webhooks.signed(world.webhooks.events[event])
    return {"body": body.decode(), "signature": header}


def _fault(world: World, *, kind: Kind, method: str, path: str, **how: Any) -> None:
    world.faults.order(Fault(kind=kind, method=method, path=re.compile(path), **how))


def _release(world: World) -> None:
    world.faults.released.set()


def _dispute(world: World, *, payment_intent: str, amount: int | None, reason: str, status: str) -> JSON:
    intent = world.get("payment_intent", payment_intent)
    return open_dispute(world, intent=intent, amount=amount, reason=reason, status=status)


def _dispute_status(world: World, *, dispute: str, status: str) -> JSON:
    found = world.get("dispute", dispute)
    change(world, found, status)
    return found


def _refund_status(world: World, *, refund: str, status: str) -> JSON:
    found = world.get("refund", refund)
    settle(world, found, status)
    return found


def _next_refund(world: World, *, status: str) -> None:
    world.refund_statuses.append(status)


def _dashboard_refund(world: World, *, payment_intent: str, amount: int | None) -> JSON:
    return new_refund(world, {"payment_intent": payment_intent, **({} if amount is None else {"amount": amount})})


def _lapse_hold(world: World, *, payment_intent: str) -> JSON:
    intent = world.get("payment_intent", payment_intent)
    lapse(world, intent)
    return intent


def _lapse_checkout(world: World, *, session: str) -> JSON:
    found = world.get("checkout.session", session)
    expire(world, found)
    return found


def _reverse_transfer(world: World, *, transfer: str, amount: int | None) -> JSON:
    return reverse(world, world.get("transfer", transfer), amount, {})


def _account(world: World, *, account: str, enabled: bool, disabled_reason: str | None) -> JSON:
    found = world.get("account", account)
    set_onboarded(world, found, enabled=enabled, disabled_reason=disabled_reason)
    return found


def _requests(world: World) -> Sequence[JSON]:
    return world.requests


def _violations(world: World) -> Sequence[str]:
    return world.violations


def _books(world: World) -> JSON:
    kinds = ("payment_intent", "charge", "refund", "dispute", "transfer", "transfer_reversal", "checkout.session", "account")
    return {kind: list(reversed(world.books.all(kind))) for kind in kinds}


CONTROLS: Mapping[str, Control] = {
    "reset": _reset,
    "webhooks": _webhooks,
    "events": _events,
    "deliveries": _deliveries,
    "signed": _signed,
    "fault": _fault,
    "release": _release,
    "dispute": _dispute,
    "dispute_status": _dispute_status,
    "refund_status": _refund_status,
    "next_refund": _next_refund,
    "dashboard_refund": _dashboard_refund,
    "lapse_hold": _lapse_hold,
    "lapse_checkout": _lapse_checkout,
    "reverse_transfer": _reverse_transfer,
    "account": _account,
    "save_card": save_card,
    "requests": _requests,
    "violations": _violations,
    "books": _books,
}


def send(world: World, *, events: list[str]) -> list[int | None]:
    """Deliver kept events in this order, an id given twice twice; return the status of each answer (None: nobody answered).

    Called without the world's lock: who hears an event may ask the stand-in at once.
    """
    return [world.webhooks.send(world.webhooks.events[key]) for key in events]
