"""What gateways tell us: written down as it came, then looked into. Order, delay and repeats change nothing.

An event only says where to look: what became of the hold, refund, dispute, account or transfer is asked of the gateway,
so an old event brings no old state, and one that never comes is made up for by reconcile.
"""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from billing import cards, disputes, holds, payouts, refund
from billing.customers import owner_of
from billing.gateways import gateway
from billing.gateways.base import GatewayError, GatewayNews, GatewayRefused
from billing.keys import own_id
from billing.models import GatewayEvent, Hold, Payout, PayoutAccount, Refund
from billing.payout_accounts import refresh_account
from hopps.each import look_after

logger = logging.getLogger(__name__)

# A younger event is still being worked on; an older one is left to reconcile, and to operators.
GRACE = timedelta(minutes=1)
GIVEN_UP = timedelta(days=3)

HANDLED = "handled"
NOT_OURS = "nothing of ours"


def receive(*, news: GatewayNews, gateway_name: str) -> GatewayEvent | None:
    """Write an event down; return its row, or None where it is there already."""
    event, created = GatewayEvent.objects.get_or_create(
        gateway=gateway_name,
        event_id=news.event_id,
        defaults={
            "type": news.type[:80],
            "payload": news.payload,
            "subject": news.subject,
            "ref": news.ref[:100],
            "key": news.key[:100],
            "customer_ref": news.customer_ref[:100],
        },
    )
    return event if created else None


def handle(*, event: GatewayEvent) -> None:
    """Look into an event that was not looked into yet. Safe to call again, and from two places at once.

    Raises:
        GatewayUnavailable: the gateway did not answer; the sweep tries again.
    """
    if event.handled_at is not None:
        return
    try:
        outcome = HANDLED if _look_into(event) else NOT_OURS
    except GatewayRefused as refusal:
        outcome = f"refused: {refusal.in_full}"[:200]
        logger.error("Event %s (%s): %s", event.event_id, event.type, refusal.in_full)
    GatewayEvent.objects.filter(pk=event.pk, handled_at=None).update(handled_at=timezone.now(), outcome=outcome)


def heal_events(now: datetime) -> None:
    """Look into events that nobody has looked into more than a minute before `now` (UTC)."""
    waiting = GatewayEvent.objects.filter(handled_at=None, received_at__lt=now - GRACE, received_at__gt=now - GIVEN_UP)
    look_after(waiting.order_by("received_at"), lambda event: handle(event=event), name="Event", quiet=(GatewayError,))


def _look_into(event: GatewayEvent) -> bool:
    """Do what the event is about; return whether it was about something of ours."""
    processor = gateway(event.gateway)
    match event.subject:
        case "hold":
            return _hold(event)
        case "card":
            owner = owner_of(ref=event.customer_ref, gateway_name=event.gateway)
            return owner is not None and bool(cards.keep_added(owner=owner, ref=event.ref, gateway_name=event.gateway))
        case "refund":
            return _refund(event)
        case "dispute":
            seen = processor.dispute_state(event.ref)
            return disputes.write_down(seen=seen, gateway_name=event.gateway) is not None
        case "account":
            return _account(event)
        case "transfer":
            return _transfer(event)
        case _:
            return False


def _hold(event: GatewayEvent) -> bool:
    by_key = own_id(event.key, "hold")
    known = Hold.objects.filter(gateway=event.gateway)
    hold = known.filter(pk=by_key).first() if by_key else known.filter(gateway_ref=event.ref).first()
    if hold is None:
        return False
    holds.look_again(hold=hold)
    return True


def _refund(event: GatewayEvent) -> bool:
    by_key = own_id(event.key, "refund")
    made = Refund.objects.filter(pk=by_key).first() if by_key else None
    if made is not None:
        refund.carry_out(made)
        return True
    entry = gateway(event.gateway).refund_entry(event.ref)
    return refund.adopt(entry=entry, gateway_name=event.gateway) is not None


def _account(event: GatewayEvent) -> bool:
    account = PayoutAccount.objects.filter(gateway=event.gateway, gateway_ref=event.ref).first()
    if account is None:
        return False
    refresh_account(account)
    return True


def _transfer(event: GatewayEvent) -> bool:
    pk = own_id(event.key, "payout")
    payout = Payout.objects.filter(pk=pk).first() if pk else None
    if payout is None:
        return False
    entry = gateway(event.gateway).transfer_state(event.ref)
    payouts.record_paid(payout, entry.ref)
    payouts.record_reversal(payout, entry.reversed_minor)
    return True
