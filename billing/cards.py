"""A customer's saved cards: add, remove, choose the default."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from billing.models import Card


def cards_of(user: User) -> QuerySet[Card]:
    """Return the cards `user` can pay with, the default first."""
    return Card.objects.filter(owner=user, removed_at=None, gateway=settings.PAYMENTS).order_by("-is_default", "added_at")


def default_card(user: User) -> Card | None:
    """Return the card `user` pays with unless they choose another one."""
    return cards_of(user).first()


def add(*, owner: User, gateway_ref: str, brand: str, last4: str) -> Card:
    """Save a card of the gateway in use. The first one becomes the default.

    A card that is there already (the same gateway reference, not removed) is returned as it is.
    """
    # The unique constraint behind get_or_create decides between two tabs.
    card, _ = Card.objects.get_or_create(
        owner=owner,
        gateway=settings.PAYMENTS,
        gateway_ref=gateway_ref,
        removed_at=None,
        defaults={"brand": brand, "last4": last4},
    )
    _ensure_default(owner)
    card.refresh_from_db()
    return card


def remove(*, card: Card) -> None:
    """Take a card away; what is held or charged on it stays. The default passes to the next one."""
    Card.objects.filter(pk=card.pk, removed_at=None).update(removed_at=timezone.now(), is_default=False)
    _ensure_default(card.owner)


def make_default(*, card: Card) -> None:
    """Make `card` the one its owner pays with. A removed card changes nothing."""
    while Card.objects.filter(pk=card.pk, removed_at=None).exists():
        try:
            with transaction.atomic():
                Card.objects.filter(owner=card.owner, is_default=True).exclude(pk=card.pk).update(is_default=False)
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
    try:
        with transaction.atomic():
            # A default of a gateway no longer in use would keep the place.
            Card.objects.filter(owner=owner, is_default=True).exclude(gateway=settings.PAYMENTS).update(is_default=False)
            Card.objects.filter(pk=oldest.pk, removed_at=None).update(is_default=True)
    except IntegrityError:  # somebody else made one the default meanwhile
        return
