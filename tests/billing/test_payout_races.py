"""Real processes that pay the same week at the same moment."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.billing.payday import NOW
from tests.billing.test_races import RACERS, ROUNDS, Racer, database, hex_of, racers, read

__all__ = ["database", "racers"]

STATES = "SELECT state FROM billing_payout WHERE expert_id = ?"
BOOKED = "SELECT expert FROM billing_posting WHERE expert_user_id = ? AND kind = 'payout' ORDER BY expert"
MOVED = (
    "SELECT t.amount_minor FROM billing_demotransfer t JOIN billing_payout p"
    " ON t.key LIKE 'payout:%' AND REPLACE(SUBSTR(t.key, 8), '-', '') = p.id WHERE p.expert_id = ?"
)


def earn(racer: Racer, *, refused: bool = False) -> str:
    """Return an expert who is owed 800, by the racer's hand."""
    racer.tell(do="earn", now=NOW.isoformat(), refused=refused)
    eve: str = racer.answer()
    return eve


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_paying_a_week_at_once_pays_it_once(racers: list[Racer], database: Path, round_number: int) -> None:
    eve = earn(racers[0])
    for racer in racers:
        racer.tell(do="pay", now=NOW.isoformat())
    assert sorted(racer.answer() for racer in racers) == [[]] * (RACERS - 1) + [[800]]
    assert read(database, STATES, hex_of(eve)) == ["paid"]
    assert read(database, BOOKED, hex_of(eve)) == [-800]
    assert read(database, MOVED, hex_of(eve)) == [800]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_refusal_heard_at_once_is_booked_back_once(racers: list[Racer], database: Path, round_number: int) -> None:
    eve = earn(racers[0], refused=True)
    for racer in racers:
        racer.tell(do="pay", now=NOW.isoformat())
    # And by those who come for what was left, while the first is still at it.
    for racer in racers:
        racer.tell(do="heal", now=(NOW + timedelta(minutes=2)).isoformat())
    for racer in racers:
        racer.answer(), racer.answer()
    assert read(database, STATES, hex_of(eve)) == ["failed"]
    assert read(database, BOOKED, hex_of(eve)) == [-800, 800]
    assert read(database, MOVED, hex_of(eve)) == []


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_reversal_heard_at_once_in_different_sums_is_booked_once(
    racers: list[Racer], database: Path, round_number: int
) -> None:
    eve = earn(racers[0])
    racers[0].tell(do="pay", now=NOW.isoformat())
    racers[0].answer()
    for index, racer in enumerate(racers):
        racer.tell(do="reverse", eve=eve, amount_minor=100 * (index + 1))
    for racer in racers:
        racer.answer()
    assert read(database, "SELECT reversed_minor FROM billing_payout WHERE expert_id = ?", hex_of(eve)) == [100 * RACERS]
    assert sum(read(database, BOOKED, hex_of(eve))) == 100 * RACERS - 800
