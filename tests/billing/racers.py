"""What one of several processes does in a race: `python -m tests.billing.racers` reads an order a line and answers it.

An order is JSON too: {"do": one of the cases below, …}.
"""

import json
import os
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

from django.contrib.auth.models import Group  # noqa: E402  Django first

from accounts.models import User  # noqa: E402
from accounts.permissions import Team  # noqa: E402
from billing import cards, signals  # noqa: E402
from billing.capture import capture  # noqa: E402
from billing.gateways.demo import DemoGateway  # noqa: E402
from billing.holds import HoldNeedsAction, HoldPlaced, finish_hold, place_hold  # noqa: E402
from billing.models import Card, Hold, Payment, Payout  # noqa: E402
from billing.payouts import heal_payouts, pay_everybody, record_reversal  # noqa: E402
from billing.refund import RefundRefused, refund  # noqa: E402
from tests.billing.conftest import approved_card, asking_card, charged, declined_card, hold, person  # noqa: E402
from tests.billing.payday import earned, make_refuse, ready_account  # noqa: E402

# What billing told outward in this process.
heard: list[Hold] = []


def listen(hold: Hold, **_: Any) -> None:
    heard.append(hold)


def seed() -> dict[str, str]:
    alice, eve = person("Alice"), person("Eve")
    olga = person("Olga", is_staff=True, is_superuser=True)
    sam = person("Sam", is_staff=True)
    sam.groups.add(Group.objects.get(name=Team.SUPPORT))
    card = approved_card(alice)
    declined_card(alice)
    asking_card(alice)
    payment = charged(alice, eve, 1000, 700, 700)
    return {
        "alice": str(alice.pk),
        "eve": str(eve.pk),
        "olga": str(olga.pk),
        "sam": str(sam.pk),
        "card": str(card.pk),
        "payment": str(payment.pk),
    }


def do(order: dict[str, Any]) -> Any:
    match order["do"]:
        case "seed":
            return seed()
        case "hold":
            card = Card.objects.select_related("owner").get(pk=order["card"])
            outcome = place_hold(
                reference=UUID(order["reference"]),
                payer=card.owner,
                amount_minor=3000,
                currency="USD",
                description="d",
                card=card,
                return_url="",
                placed_before=0,
            )
            return str(outcome.hold.pk) if isinstance(outcome, HoldPlaced) else type(outcome).__name__
        case "ask the bank":
            waiting = hold(asking_card(User.objects.get(pk=order["alice"])))
            assert isinstance(waiting, HoldNeedsAction)
            DemoGateway().answer(waiting.hold.gateway_ref, approved=True)
            return str(waiting.hold.pk)
        case "finish":
            heard.clear()
            finish_hold(hold=Hold.objects.get(pk=order["hold"]))
            return len(heard)
        case "capture":
            eve = User.objects.get(pk=order["eve"])
            return capture(reference=UUID(order["reference"]), payee=eve, amount_minor=order["amount_minor"]).charged_minor
        case "refund":
            payment = Payment.objects.get(pk=order["payment"])
            try:
                made = refund(
                    payment=payment, amount_minor=order["amount_minor"], reason="r", by=User.objects.get(pk=order["olga"])
                )
            except RefundRefused as refusal:
                return refusal.sentence
            return made.amount_minor
        case "earn":
            expert = person("Eve")
            account = ready_account(expert)
            earned(person("Alice"), expert, 1000, now=datetime.fromisoformat(order["now"]))
            if order.get("refused"):
                make_refuse(account)
            return str(expert.pk)
        case "pay":
            return [row.amount_minor for row in pay_everybody(datetime.fromisoformat(order["now"]))]
        case "heal":
            return heal_payouts(datetime.fromisoformat(order["now"]))
        case "reverse":
            return record_reversal(Payout.objects.get(expert=order["eve"]), order["amount_minor"]).reversed_minor
        case "default":
            card = list(Card.objects.filter(owner=order["alice"]).order_by("last4"))[order["which"]]
            cards.make_default(card=card)
            return None
    raise ValueError(order["do"])


if __name__ == "__main__":
    for signal in (signals.hold_placed, signals.payment_charged, signals.payment_refunded):
        signal.receivers = []  # money only: there are no help sessions here
    signals.hold_placed.connect(listen)
    for line in sys.stdin:
        print(json.dumps(do(json.loads(line))), flush=True)
