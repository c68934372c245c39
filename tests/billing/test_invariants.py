"""Whatever happens to money, in whatever order: none appears, none is lost."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings

from billing.models import Hold, Payment, Refund
from tests.billing.money_world import PAID, Step, World, journeys
from tests.databases import examples
from tests.writes import watched_writes


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(journeys)
# Each of these once lost money: an inquiry that becomes a dispute after a refund, or is heard of again when it has; a
# dispute that is won and then lost.
@example([*PAID, ("dispute", 0, 2000, "inquiry"), ("refund", 2501), ("dispute", 0, 2000, "needs_answer")])
@example([*PAID, *(("dispute", 0, 2000, state) for state in ("needs_answer", "inquiry", "needs_answer"))])
@example([*PAID, *(("dispute", 0, 2000, state) for state in ("needs_answer", "won", "lost", "won"))])
def test_any_order_of_holding_charging_refunding_disputing_and_paying_out_adds_up(journey: list[Step]) -> None:
    world = World()
    for step in journey:
        world.do(step)
        world.check()
    world.finish()
    world.close()


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing after it runs."""


@contextmanager
def killed_at_write(number: int) -> Iterator[None]:
    """Die instead of doing the write of that number, counted from 1."""
    seen = 0

    def before(write: str, table: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed

    with watched_writes(before=before, after=lambda write, table: None):
        yield


JOURNEYS: dict[str, tuple[list[Step], Step]] = {
    "hold": ([], ("hold", "approved", 3000)),
    "hold over an abandoned check": ([("hold", "asking", 3000)], ("hold", "approved", 3000)),
    "bank's answer": ([("hold", "asking", 3000)], ("answer", True, True)),
    "capture": ([("hold", "approved", 3000), ("hold", "approved", 900), ("hold", "approved", 900)], ("capture", 3300)),
    "capture of nothing": ([("hold", "approved", 3000)], ("capture", 7)),
    "release": ([("hold", "approved", 3000), ("hold", "asking", 900)], ("release",)),
    "refund": ([("hold", "approved", 900), ("hold", "approved", 900), ("capture", 1500)], ("refund", 1200)),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", JOURNEYS)
def test_killed_at_any_write_money_moves_once_and_the_sweep_makes_it_whole(name: str) -> None:
    before, journey = JOURNEYS[name]
    number = 0
    done = False
    while not done:
        number += 1
        world = World()
        for step in before:
            world.do(step)
        try:
            with killed_at_write(number):
                world.do(journey)
            done = True
        except Killed:
            pass
        world.finish()
        # The person, or the job, tries again; an operator sees a refund that is there and does not.
        if not Refund.objects.filter(payment=world.payment()).exists():
            world.do(journey)
        world.finish()
        _check_end(name, world)
    assert number > 2


def _check_end(name: str, world: World) -> None:
    payment = world.payment()
    assert payment is not None
    held = sum(hold.amount_minor for hold in payment.holds.filter(state=Hold.State.PLACED))
    match name:
        case "capture":
            assert (payment.state, payment.charged_minor) == (Payment.State.CHARGED, 3300)
        case "capture of nothing" | "release":
            assert (payment.state, payment.charged_minor, held) == (Payment.State.RELEASED, 0, 0)
        case "refund":
            assert payment.refunded_minor == 1200
            assert payment.refunds.count() == 1
        case "bank's answer":
            assert held in (0, 3000)
        case _:
            assert held
