"""Only looking: with every kind of difference there is, not a row of ours and nothing at Stripe changes."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from accounts.models import User
from billing.disputes import write_down
from billing.gateways import gateway
from billing.models import GatewayEvent, Hold, Payment, Payout, PayoutAccount, Posting, Refund
from billing.refund import refund
from tests.billing.at_stripe import at_the_page, charged, placed, stripe_card
from tests.billing.comparing import compare, paid, sentences
from tests.billing.conftest import person
from tests.peers.stripe_stand_in import StripeStandIn


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of billing."""
    models = apps.get_app_config("billing").get_models()
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def everything_differs(peer: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount) -> None:
    """Have our books and Stripe's differ in every way reconcile knows."""
    charged(peer, alice, eve, 1000)
    peer.reverse_transfer(paid(eve).gateway_ref, 300)
    Payout.objects.create(account=account, expert=eve, amount_minor=100, currency="USD", period="2026-W40")
    # Holds: paid unheard, left unheard, lapsed, given up by us, and one whose row is gone.
    peer.pay(at_the_page(alice).url)
    peer.lapse_checkout(at_the_page(alice).hold.gateway_ref)
    peer.lapse_hold(placed(stripe_card(peer, alice)).gateway_ref)
    Hold.objects.filter(pk=placed(stripe_card(peer, alice)).pk).update(state=Hold.State.DECLINED)
    Hold.objects.filter(pk=placed(stripe_card(peer, alice)).pk).delete()
    # A charge that was decided and not made.
    decided = placed(stripe_card(peer, alice)).payment
    Payment.objects.filter(pk=decided.pk).update(
        state=Payment.State.CAPTURING, due_minor=500, payee=eve, closed_at=timezone.now()
    )
    # Refunds: made by others, done since, failed since, never asked for.
    peer.dashboard_refund(charged(peer, alice, eve, 1000).holds.get().gateway_ref, 300)
    peer.next_refund_becomes("pending")
    done = refund(payment=charged(peer, alice, eve, 1000), amount_minor=400, reason="r", by=olga)
    peer.set_refund(done.parts[0]["ref"], "succeeded")
    failed = refund(payment=charged(peer, alice, eve, 1000), amount_minor=400, reason="r", by=olga)
    peer.set_refund(failed.parts[0]["ref"], "failed")
    payment = charged(peer, alice, eve, 1000)
    part = {"hold": str(payment.holds.get().pk), "amount_minor": 200, "ref": ""}
    Refund.objects.create(payment=payment, sequence=1, amount_minor=200, expert_minor=160, parts=[part], reason="r")
    # Disputes: unheard of, and moved on.
    moved = peer.open_dispute(charged(peer, alice, eve, 1000).holds.get().gateway_ref)
    write_disputes_down()
    peer.set_dispute(moved["id"], "won")
    peer.open_dispute(charged(peer, alice, eve, 1000).holds.get().gateway_ref)
    # A sum, and the ledger.
    Payment.objects.filter(pk=charged(peer, alice, eve, 1000).pk).update(refunded_minor=70)
    Posting.objects.filter(payment=charged(peer, alice, eve, 1000))._raw_delete("default")
    # An account, and an event.
    PayoutAccount.objects.update(ready=False)
    GatewayEvent.objects.create(
        gateway="stripe", event_id="evt_1", type="refund.updated", payload={"a": 1}, subject="refund",
        ref=failed.parts[0]["ref"], received_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


def write_disputes_down() -> None:
    """Write down what disputes there are."""
    for seen in gateway("stripe").disputes_since(timezone.now() - timedelta(days=1)):
        write_down(seen=seen, gateway_name="stripe")


def test_only_looking_finds_what_repairing_does_and_writes_nothing(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount
) -> None:
    everything_differs(at_stripe, alice, eve, olga, account)
    before, books, asked = rows(), at_stripe.books(), len(at_stripe.requests())
    looked = sentences(repair=False)
    assert rows() == before
    assert at_stripe.books() == books
    assert {request["method"] for request in at_stripe.requests()[asked:]} == {"GET"}
    assert not [one for one in looked if not one.endswith("Needs a person.")]
    kinds = (
        "is pending here and held there", "is pending here and over there", "is placed here and over there",
        "is declined here and held there", "for a hold we have no row of", "is still being charged",
        "(minor units) is not in our books", "is succeeded there and pending here", "is failed there and succeeded here",
        "was begun and not finished", "is won there and needs_answer here", "is not in our books",
        "is ready there and not ready here",
        "was taken back there", "still on its way here and unknown there", "its sums", "the ledger says",
        "was not looked into",
    )  # fmt: skip
    missing = [kind for kind in kinds if not any(kind in one for one in looked)]
    assert missing == [], looked
    # Repairing finds the same things; by then what one repair makes right may spare the next.
    repaired = compare()
    assert len(repaired) > len(kinds) - 4
    left = [str(difference) for difference in compare()]
    assert len(left) == 1, left
    assert "the ledger says" in left[0]


def test_a_page_for_the_card_that_stripe_does_not_show_keeps_no_other_from_being_compared(
    at_stripe: StripeStandIn, alice: User
) -> None:
    at_the_page(alice)
    at_stripe.pay(at_the_page(person("Bob")).url)
    at_stripe.fail("GET", "/v1/checkout/sessions/.*", status=503, times=2)
    said = sentences(repair=False)
    assert any("could not be compared (The payment service does not answer." in one for one in said)
    assert any("is pending here and held there" in one for one in said)
