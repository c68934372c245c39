"""Reserving money."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from billing import cards, holds
from billing.capture import capture
from billing.gateways.demo import DemoGateway
from billing.holds import HoldDeclined, HoldInProgress, HoldNeedsAction, HoldPlaced, finish_hold, heal_pending
from billing.models import DemoIntent, Hold, Payment
from billing.release import release
from billing.tasks import heal
from tests.billing.conftest import Told, approved_card, asking_card, declined_card, hold, placed


def answer(waiting: Hold, *, approved: bool) -> None:
    """Answer at the bank, and let nobody know yet."""
    waiting.refresh_from_db()
    DemoGateway().answer(waiting.gateway_ref, approved=approved)


def waiting_hold(alice: User, reference: UUID | None = None) -> Hold:
    outcome = hold(asking_card(alice), reference=reference)
    assert isinstance(outcome, HoldNeedsAction)
    return outcome.hold


def held_at_the_gateway() -> int:
    return sum(DemoIntent.objects.filter(state=DemoIntent.State.HELD).values_list("amount_minor", flat=True))


def test_a_good_card_is_held_and_told_once(alice: User, told: Told) -> None:
    outcome = hold(approved_card(alice))
    assert isinstance(outcome, HoldPlaced)
    assert outcome.hold.state == Hold.State.PLACED
    assert outcome.hold.payment.state == Payment.State.OPEN
    assert [heard.pk for heard in told.placed] == [outcome.hold.pk]
    assert held_at_the_gateway() == 3000
    finish_hold(hold=outcome.hold)
    assert len(told.placed) == 1


def test_a_declined_card_says_so_and_the_next_one_may_try(alice: User, told: Told) -> None:
    reference = uuid4()
    outcome = hold(declined_card(alice), reference=reference)
    assert isinstance(outcome, HoldDeclined)
    assert "declined" in outcome.sentence
    assert not told.placed
    placed(approved_card(alice), reference=reference)
    assert len(told.placed) == 1
    assert holds.is_held(reference)


def test_the_bank_asks_and_the_answer_places_the_hold(alice: User, told: Told) -> None:
    waiting = waiting_hold(alice)
    assert not told.placed
    assert isinstance(finish_hold(hold=waiting), HoldNeedsAction)
    answer(waiting, approved=True)
    assert isinstance(finish_hold(hold=waiting), HoldPlaced)
    assert isinstance(finish_hold(hold=waiting), HoldPlaced)
    assert len(told.placed) == 1


def test_the_bank_asks_and_the_customer_refuses(alice: User, told: Told) -> None:
    waiting = waiting_hold(alice)
    answer(waiting, approved=False)
    outcome = finish_hold(hold=waiting)
    assert isinstance(outcome, HoldDeclined)
    assert outcome.sentence
    assert not told.placed


def test_an_abandoned_bank_check_does_not_block_the_next_try(alice: User) -> None:
    waiting = waiting_hold(alice)
    reference = waiting.payment.reference
    placed(approved_card(alice), reference=reference)
    waiting.refresh_from_db()
    assert waiting.state == Hold.State.RELEASED
    # The old tab's answer comes too late and holds nothing.
    answer(waiting, approved=True)
    assert isinstance(finish_hold(hold=waiting), HoldDeclined)
    assert held_at_the_gateway() == 3000


def test_a_check_approved_in_a_closed_tab_is_the_hold_and_not_a_second_one(alice: User, told: Told) -> None:
    waiting = waiting_hold(alice)
    answer(waiting, approved=True)
    outcome = hold(asking_card(alice), reference=waiting.payment.reference)
    assert isinstance(outcome, HoldPlaced)
    assert outcome.hold.pk == waiting.pk
    assert held_at_the_gateway() == 3000
    assert len(told.placed) == 1


def test_a_check_approved_for_another_amount_is_given_back(alice: User, told: Told) -> None:
    waiting = waiting_hold(alice)
    answer(waiting, approved=True)
    placed(approved_card(alice), 6000, waiting.payment.reference)
    assert held_at_the_gateway() == 6000
    assert len(told.placed) == 1


def test_a_try_still_being_asked_for_makes_the_second_wait(alice: User) -> None:
    reference = uuid4()
    card = approved_card(alice)
    payment = Payment.objects.create(reference=reference, payer=alice, currency="USD", description="d")
    first = Hold.objects.create(payment=payment, sequence=1, card=card, amount_minor=3000)
    outcome = hold(card, reference=reference)
    assert isinstance(outcome, HoldInProgress)
    assert "try again" in outcome.sentence
    assert Hold.objects.get() == first
    assert not DemoIntent.objects.exists()


def test_a_form_sent_twice_holds_once(alice: User) -> None:
    card = approved_card(alice)
    reference = uuid4()
    first = hold(card, reference=reference, placed_before=0)
    second = hold(card, reference=reference, placed_before=0)
    assert isinstance(first, HoldPlaced)
    assert isinstance(second, HoldPlaced)
    assert first.hold.pk == second.hold.pk
    assert held_at_the_gateway() == 3000
    extended = hold(card, reference=reference, placed_before=1)
    assert isinstance(extended, HoldPlaced)
    assert holds.held_minor(extended.hold.payment) == 6000


@pytest.mark.parametrize("asked_the_gateway", [True, False])
def test_a_crash_around_the_call_is_healed_and_holds_once(alice: User, told: Told, asked_the_gateway: bool) -> None:
    payment = Payment.objects.create(reference=uuid4(), payer=alice, currency="USD", description="d")
    left = Hold.objects.create(payment=payment, sequence=1, card=approved_card(alice), amount_minor=3000)
    if asked_the_gateway:
        DemoGateway().place_hold(
            key=f"hold:{left.pk}",
            card_ref="demo_approved",
            amount_minor=3000,
            currency="USD",
            description="d",
            return_url="",
        )
    now = timezone.now()
    assert heal_pending(now) == 0  # young enough to be still under way
    assert heal_pending(now + timedelta(seconds=61)) == 1
    assert heal_pending(now + timedelta(seconds=61)) == 0
    left.refresh_from_db()
    assert left.state == Hold.State.PLACED
    assert held_at_the_gateway() == 3000
    assert len(told.placed) == 1


def test_the_next_try_heals_a_crashed_one(alice: User) -> None:
    card = approved_card(alice)
    payment = Payment.objects.create(reference=uuid4(), payer=alice, currency="USD", description="d")
    long_ago = timezone.now() - timedelta(minutes=2)
    left = Hold.objects.create(payment=payment, sequence=1, card=card, amount_minor=3000, created_at=long_ago)
    assert placed(card, 3000, payment.reference).pk == left.pk
    assert held_at_the_gateway() == 3000


def test_an_unanswered_bank_check_is_called_off_after_an_hour(alice: User) -> None:
    waiting = waiting_hold(alice)
    assert heal_pending(timezone.now() + timedelta(minutes=59)) == 0
    assert heal_pending(timezone.now() + timedelta(minutes=61)) == 1
    waiting.refresh_from_db()
    assert waiting.state == Hold.State.RELEASED


def test_an_approval_after_the_end_is_given_back(alice: User, eve: User, told: Told) -> None:
    reference = uuid4()
    placed(approved_card(alice), 3000, reference)
    waiting = waiting_hold(alice, reference)
    answer(waiting, approved=True)
    capture(reference=reference, payee=eve, amount_minor=2000)
    outcome = finish_hold(hold=waiting)
    assert isinstance(outcome, HoldDeclined)
    assert held_at_the_gateway() == 0
    assert len(told.placed) == 1


def test_a_hold_answered_after_the_cancel_is_given_back(alice: User, told: Told) -> None:
    """The processor was still being asked when the customer called it off."""
    payment = Payment.objects.create(reference=uuid4(), payer=alice, currency="USD", description="d")
    left = Hold.objects.create(payment=payment, sequence=1, card=approved_card(alice), amount_minor=3000)
    release(reference=payment.reference)
    heal(timezone.now() + timedelta(minutes=2))
    left.refresh_from_db()
    assert left.state == Hold.State.RELEASED
    assert held_at_the_gateway() == 0
    assert not told.placed


def test_a_closed_payment_takes_no_further_hold(alice: User) -> None:
    reference = placed(approved_card(alice)).payment.reference
    release(reference=reference)
    outcome = hold(approved_card(alice), reference=reference)
    assert isinstance(outcome, HoldDeclined)
    assert outcome.hold is None
    assert held_at_the_gateway() == 0


def test_a_removed_card_and_somebody_elses_card_are_not_asked(alice: User, bob: User) -> None:
    card = approved_card(alice)
    cards.remove(card=card)
    card.refresh_from_db()
    assert isinstance(hold(card), HoldDeclined)
    theirs = approved_card(bob)
    outcome = holds.place_hold(
        reference=uuid4(), payer=alice, amount_minor=3000, currency="USD", description="", card=theirs, return_url=""
    )
    assert isinstance(outcome, HoldDeclined)
    assert not DemoIntent.objects.exists()


def test_less_than_the_minimum_is_said_before_asking_the_card(alice: User) -> None:
    outcome = hold(approved_card(alice), 49)
    assert isinstance(outcome, HoldDeclined)
    assert "$0.50" in outcome.sentence
    assert not Payment.objects.exists()


def test_a_reference_belongs_to_one_payer(alice: User, bob: User) -> None:
    reference = placed(approved_card(alice)).payment.reference
    with pytest.raises(ValueError, match="another payer"):
        hold(approved_card(bob), reference=reference)
