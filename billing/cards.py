"""A customer's saved cards: add, remove, choose the default."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from billing.gateways import gateway
from billing.gateways.base import CardDetails, GatewayError
from billing.models import Card, GatewayCustomer

logger = logging.getLogger(__name__)


def cards_of(user: User) -> QuerySet[Card]:
    """Return the cards `user` can pay with, the default first."""
    return _kept(user).filter(failed_at=None).order_by("-is_default", "added_at")


def failed_cards_of(user: User) -> QuerySet[Card]:
    """Return the cards of `user` that a charge failed on for good: kept to be seen, not to be paid with."""
    return _kept(user).filter(failed_at__isnull=False).order_by("-failed_at")


def _kept(user: User) -> QuerySet[Card]:
    return Card.objects.filter(owner=user, removed_at=None, gateway=settings.PAYMENTS)


def kept_card(pk: UUID) -> Card | None:
    """Return somebody's card that was not removed."""
    return Card.objects.select_related("owner").filter(pk=pk, removed_at=None, gateway=settings.PAYMENTS).first()


def usable_card(pk: UUID) -> Card | None:
    """Return somebody's card that can be paid with."""
    card = kept_card(pk)
    return card if card is not None and card.failed_at is None else None


def default_card(user: User) -> Card | None:
    """Return the card `user` pays with unless they choose another one."""
    return cards_of(user).first()


def add(*, owner: User, gateway_ref: str, brand: str, last4: str, gateway_name: str | None = None) -> Card:
    """Save a card of a gateway, None being the one in use. The first one becomes the default.

    A card that is there already (the same gateway reference, not removed) is returned as it is.
    """
    # The unique constraint behind get_or_create decides between two tabs.
    card, _ = Card.objects.get_or_create(
        owner=owner,
        gateway=gateway_name or settings.PAYMENTS,
        gateway_ref=gateway_ref,
        removed_at=None,
        defaults={"brand": brand, "last4": last4},
    )
    _ensure_default(owner)
    card.refresh_from_db()
    return card


def remove(*, card: Card) -> None:
    """Take a card away, here and at its gateway; what is held or charged on it stays. The default passes to the next one."""
    if Card.objects.filter(pk=card.pk, removed_at=None).update(removed_at=timezone.now(), is_default=False):
        try:
            gateway(card.gateway).remove_card(card_ref=card.gateway_ref)
        except GatewayError:
            # Nobody can pay with it any more, which is what its owner asked for.
            logger.exception("Card %s is removed here and still known to its gateway", card.pk)
    _ensure_default(card.owner)


def mark_failed(*, card: Card) -> None:
    """Offer `card` no more: a charge failed on it for good. The default passes to the next one."""
    Card.objects.filter(pk=card.pk, failed_at=None).update(failed_at=timezone.now(), is_default=False)
    _ensure_default(card.owner)


def keep_added(*, owner: User, ref: str, gateway_name: str) -> Card | None:
    """Save the card that a visit to the gateway's page added, if one was.

    Args:
        ref: the visit, as the gateway names it.

    Raises:
        GatewayError: the gateway could not be asked.
    """
    known = GatewayCustomer.objects.filter(owner=owner, gateway=gateway_name).first()
    if known is None or not ref:
        return None
    details = gateway(gateway_name).added_card(ref=ref, customer_ref=known.gateway_ref)
    return keep(owner=owner, gateway_name=gateway_name, details=details) if details is not None else None


def keep(*, owner: User, gateway_name: str, details: CardDetails) -> Card:
    """Save a card the gateway took on its own page, and return it; one its owner removed meanwhile stays removed."""
    known = Card.objects.filter(owner=owner, gateway=gateway_name, gateway_ref=details.ref).first()
    if known is not None:
        return known
    return add(owner=owner, gateway_name=gateway_name, gateway_ref=details.ref, brand=details.brand, last4=details.last4)


def make_default(*, card: Card) -> None:
    """Make `card` the one its owner pays with. A removed card changes nothing."""
    while Card.objects.filter(pk=card.pk, removed_at=None, failed_at=None).exists():
        # Not in one transaction with what follows: two who choose at once would each wait for what the other holds. Where it
        # ends in between, the first card counts.
        Card.objects.filter(owner=card.owner, is_default=True).exclude(pk=card.pk).update(is_default=False)
        try:
            with transaction.atomic():
                Card.objects.filter(pk=card.pk, removed_at=None).update(is_default=True)
        except IntegrityError:  # another tab chose at the same moment: the later one counts
            continue
        break
    _ensure_default(card.owner)


def _ensure_default(owner: User) -> None:
    """Where cards are left but none is the default, make it the oldest."""
    oldest = cards_of(owner).first()
    if oldest is None or oldest.is_default:
        return
    # A default of a gateway no longer in use would keep the place.
    Card.objects.filter(owner=owner, is_default=True).exclude(gateway=settings.PAYMENTS).update(is_default=False)
    try:
        with transaction.atomic():
            Card.objects.filter(pk=oldest.pk, removed_at=None).update(is_default=True)
    except IntegrityError:  # somebody else made one the default meanwhile
        return
