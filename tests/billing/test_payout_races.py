"""Real processes that pay the same week at the same moment."""

from datetime import timedelta
from uuid import UUID

import pytest

from billing.models import DemoTransfer, Payout, Posting
from tests.billing.payday import NOW
from tests.billing.test_races import RACERS, ROUNDS, Racer, database, folder, its, racers

__all__ = ["database", "folder", "its", "racers"]


def states(eve: str, its: str) -> list[str]:
    """Return the states of her payouts."""
    return list(Payout.objects.using(its).filter(expert=UUID(eve)).values_list("state", flat=True))


def booked(eve: str, its: str) -> list[int]:
    """Return what the ledger says of them, the least first."""
    postings = Posting.objects.using(its).filter(expert_user=UUID(eve), kind=Posting.Kind.PAYOUT)
    return sorted(postings.values_list("expert", flat=True))


def moved(eve: str, its: str) -> list[int]:
    """Return what the gateway moved for them."""
    keys = [f"payout:{payout.pk}" for payout in Payout.objects.using(its).filter(expert=UUID(eve))]
    return list(DemoTransfer.objects.using(its).filter(key__in=keys).values_list("amount_minor", flat=True))


def earn(racer: Racer, *, refused: bool = False) -> str:
    """Return an expert who is owed 800, by the racer's hand."""
    racer.tell(do="earn", now=NOW.isoformat(), refused=refused)
    eve: str = racer.answer()
    return eve


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_paying_a_week_at_once_pays_it_once(racers: list[Racer], its: str, round_number: int) -> None:
    eve = earn(racers[0])
    for racer in racers:
        racer.tell(do="pay", now=NOW.isoformat())
    assert sorted(racer.answer() for racer in racers) == [[]] * (RACERS - 1) + [[800]]
    assert states(eve, its) == ["paid"]
    assert booked(eve, its) == [-800]
    assert moved(eve, its) == [800]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_refusal_heard_at_once_is_booked_back_once(racers: list[Racer], its: str, round_number: int) -> None:
    eve = earn(racers[0], refused=True)
    for racer in racers:
        racer.tell(do="pay", now=NOW.isoformat())
    # And by those who come for what was left, while the first is still at it.
    for racer in racers:
        racer.tell(do="heal", now=(NOW + timedelta(minutes=2)).isoformat())
    for racer in racers:
        racer.answer(), racer.answer()
    assert states(eve, its) == ["failed"]
    assert booked(eve, its) == [-800, 800]
    assert moved(eve, its) == []


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_reversal_heard_at_once_in_different_sums_is_booked_once(racers: list[Racer], its: str, round_number: int) -> None:
    eve = earn(racers[0])
    racers[0].tell(do="pay", now=NOW.isoformat())
    racers[0].answer()
    for index, racer in enumerate(racers):
        racer.tell(do="reverse", eve=eve, amount_minor=100 * (index + 1))
    for racer in racers:
        racer.answer()
    assert Payout.objects.using(its).get(expert=UUID(eve)).reversed_minor == 100 * RACERS
    assert sum(booked(eve, its)) == 100 * RACERS - 800
