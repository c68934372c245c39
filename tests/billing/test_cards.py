"""Saved cards."""

import pytest

from accounts.models import User
from billing import cards
from billing.models import Card
from tests.billing.conftest import approved_card, asking_card, declined_card, placed


def defaults(owner: User) -> list[str]:
    return list(Card.objects.filter(owner=owner, is_default=True).values_list("last4", flat=True))


def test_the_first_card_is_the_default_and_the_next_ones_are_not(alice: User) -> None:
    assert approved_card(alice).is_default
    assert not declined_card(alice).is_default
    assert defaults(alice) == ["4242"]


def test_the_same_card_is_saved_once(alice: User) -> None:
    assert approved_card(alice) == approved_card(alice)
    assert cards.cards_of(alice).count() == 1


def test_another_default_takes_the_place(alice: User) -> None:
    approved_card(alice)
    other = asking_card(alice)
    cards.make_default(card=other)
    cards.make_default(card=other)
    assert defaults(alice) == ["3155"]
    assert cards.default_card(alice) == other


def test_the_default_passes_on_when_it_is_removed(alice: User) -> None:
    first = approved_card(alice)
    declined_card(alice)
    asking_card(alice)
    cards.remove(card=first)
    assert defaults(alice) == ["0002"]
    assert first not in cards.cards_of(alice)


def test_the_last_card_leaves_no_default(alice: User) -> None:
    cards.remove(card=approved_card(alice))
    assert defaults(alice) == []
    assert cards.default_card(alice) is None


def test_a_removed_card_never_becomes_the_default(alice: User) -> None:
    approved_card(alice)
    gone = declined_card(alice)
    cards.remove(card=gone)
    cards.make_default(card=gone)
    assert defaults(alice) == ["4242"]


def test_a_removed_card_keeps_its_holds_and_can_be_added_again(alice: User) -> None:
    card = approved_card(alice)
    hold = placed(card)
    cards.remove(card=card)
    hold.refresh_from_db()
    assert hold.card == card
    assert approved_card(alice) != card


@pytest.mark.parametrize("left_without", ["no default", "default of another gateway"])
def test_a_missing_default_is_made_good(alice: User, left_without: str) -> None:
    card = approved_card(alice)
    if left_without == "no default":
        Card.objects.update(is_default=False)
    else:
        Card.objects.update(gateway="other")
    declined_card(alice)
    assert len(defaults(alice)) == 1
    assert cards.default_card(alice) == (card if left_without == "no default" else declined_card(alice))
