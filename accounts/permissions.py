"""Who may do what to what: one table, which views, sockets and the admin ask.

A rule looks at a person and a thing, and at nothing else: whether a request is still open, or an expert busy, is for the
journeys to say (`Refused`). What a thing must have for a rule is a protocol, so that rules about sessions and cards stand
here and import neither.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts import photos
from accounts.models import User

Person = User | AnonymousUser


class OfTwo(Protocol):
    """What belongs to a customer and, once there is one, an expert: a help session."""

    customer_id: UUID
    expert_id: UUID | None


class Owned(Protocol):
    """What belongs to one person: a card, a payout account."""

    owner_id: UUID


class Do(Enum):
    """What can be asked about. The thing it is done to is in brackets."""

    SEE_SESSION = auto()  # (session)
    ACT_AS_CUSTOMER = auto()  # (session) cancel, extend, rate …
    ACT_AS_EXPERT = auto()  # (session) give back
    USE_CARD = auto()  # (card)
    USE_BOARD = auto()  # has applied as an expert
    SEE_PHOTO = auto()  # (person whose it is)


def may(person: Person, do: Do, thing: Any = None) -> bool:
    """Return whether `person` may `do` this to `thing`. Nobody who is signed out, suspended or gone may do anything here."""
    return isinstance(person, User) and person.is_active and _RULES[do](person, thing)


def check(person: Person, do: Do, thing: Any = None) -> None:
    """Raise Http404 unless `person` may: whoever may not is not told that there is anything."""
    if not may(person, do, thing):
        raise Http404


def _is_customer(person: User, session: OfTwo) -> bool:
    return session.customer_id == person.pk


def _is_expert(person: User, session: OfTwo) -> bool:
    return session.expert_id == person.pk


def _takes_part(person: User, session: OfTwo) -> bool:
    return _is_customer(person, session) or _is_expert(person, session)


def _owns(person: User, thing: Owned) -> bool:
    return thing.owner_id == person.pk


def _has_applied(person: User, thing: None) -> bool:
    return hasattr(person, "expert")


_RULES: dict[Do, Callable[[User, Any], bool]] = {
    Do.SEE_SESSION: _takes_part,
    Do.ACT_AS_CUSTOMER: _is_customer,
    Do.ACT_AS_EXPERT: _is_expert,
    Do.USE_CARD: _owns,
    Do.USE_BOARD: _has_applied,
    Do.SEE_PHOTO: photos.may_see,
}
