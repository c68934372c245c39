"""Charging, and giving back what is not charged."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from billing import ledger
from billing.capture import capture, shares, split
from billing.gateways.demo import DemoGateway
from billing.models import DemoIntent, Hold, Payment, Posting
from billing.release import release
from billing.tasks import heal
from tests.billing.conftest import Told, approved_card, asking_card, hold, placed

State = Payment.State


def held(alice: User, *amounts: int) -> UUID:
    """Place holds of these amounts for one new reference."""
    reference = uuid4()
    for amount in amounts:
        placed(approved_card(alice), amount, reference)
    return reference


def books() -> list[tuple[str, int]]:
    """Return what the gateway's own books say: state and captured amount of each hold."""
    return sorted(DemoIntent.objects.values_list("state", "captured_minor"))


def test_it_charges_what_is_due_and_books_it(alice: User, eve: User, told: Told) -> None:
    payment = capture(reference=held(alice, 6000), payee=eve, amount_minor=4601)
    assert (payment.state, payment.charged_minor, payment.payee) == (State.CHARGED, 4601, eve)
    assert books() == [("captured", 4601)]
    posting = Posting.objects.get()
    assert (posting.key, posting.kind) == (f"charge:{payment.pk}", "charge")
    # 20 % of 4601 is 920.2: the fee is rounded down, the expert gets the rest.
    assert (posting.customer, posting.expert, posting.platform, posting.processor) == (-4601, 3681, 920, 0)
    assert (posting.customer_user, posting.expert_user) == (alice, eve)
    assert ledger.balance(eve) == {"USD": 3681}
    assert [heard.charged_minor for heard in told.charged] == [4601]


def test_again_is_the_same_and_the_first_amount_stands(alice: User, eve: User, told: Told) -> None:
    reference = held(alice, 6000)
    capture(reference=reference, payee=eve, amount_minor=1000)
    again = capture(reference=reference, payee=eve, amount_minor=2000)
    assert (again.state, again.charged_minor) == (State.CHARGED, 1000)
    assert books() == [("captured", 1000)]
    assert Posting.objects.count() == 1
    assert len(told.charged) == 1


def test_it_takes_several_holds_in_order_and_releases_the_rest(alice: User, eve: User) -> None:
    payment = capture(reference=held(alice, 3000, 1500, 1500), payee=eve, amount_minor=4000)
    assert [(h.state, h.captured_minor) for h in payment.holds.order_by("sequence")] == [
        (Hold.State.CAPTURED, 3000),
        (Hold.State.CAPTURED, 1000),
        (Hold.State.RELEASED, 0),
    ]
    assert books() == [("captured", 1000), ("captured", 3000), ("released", 0)]
    assert payment.charged_minor == 4000


def test_a_last_part_under_the_minimum_borrows_from_the_one_before(alice: User, eve: User) -> None:
    payment = capture(reference=held(alice, 3000, 1500), payee=eve, amount_minor=3020)
    assert books() == [("captured", 50), ("captured", 2970)]
    assert payment.charged_minor == 3020


def test_it_never_charges_more_than_is_held(alice: User, eve: User) -> None:
    payment = capture(reference=held(alice, 3000, 1500), payee=eve, amount_minor=9999)
    assert payment.charged_minor == 4500
    assert books() == [("captured", 1500), ("captured", 3000)]


@pytest.mark.parametrize("amount_minor", [0, 1, 49])
def test_under_the_minimum_nothing_is_charged_and_all_goes_back(
    alice: User, eve: User, told: Told, amount_minor: int
) -> None:
    payment = capture(reference=held(alice, 3000, 1500), payee=eve, amount_minor=amount_minor)
    assert (payment.state, payment.charged_minor) == (State.RELEASED, 0)
    assert books() == [("released", 0), ("released", 0)]
    assert not Posting.objects.exists()
    assert [heard.charged_minor for heard in told.charged] == [0]


def test_at_the_minimum_it_is_charged(alice: User, eve: User) -> None:
    assert capture(reference=held(alice, 3000), payee=eve, amount_minor=50).charged_minor == 50


def test_a_pending_extension_is_called_off_at_the_end(alice: User, eve: User) -> None:
    reference = held(alice, 3000)
    hold(asking_card(alice), 1500, reference)
    capture(reference=reference, payee=eve, amount_minor=3000)
    assert books() == [("captured", 3000), ("released", 0)]


@pytest.mark.parametrize("stopped_after", ["decision", "gateway", "hold row", "posting", "charged"])
def test_a_crash_at_any_point_is_healed_by_the_sweep_and_charges_once(alice: User, eve: User, stopped_after: str) -> None:
    reference = held(alice, 3000, 1500)
    payment = Payment.objects.get(reference=reference)
    first = payment.holds.get(sequence=1)
    payments, first_rows = Payment.objects.filter(pk=payment.pk), Hold.objects.filter(pk=first.pk)
    payments.update(state=State.CAPTURING, due_minor=2000, payee=eve, closed_at=timezone.now())
    if stopped_after != "decision":
        DemoGateway().capture(key=f"capture:{first.pk}", ref=first.gateway_ref, amount_minor=2000)
    if stopped_after in ("hold row", "posting", "charged"):
        first_rows.update(state=Hold.State.CAPTURED, captured_minor=2000)
    if stopped_after in ("posting", "charged"):
        ledger.post(
            key=f"charge:{payment.pk}",
            kind=Posting.Kind.CHARGE,
            currency="USD",
            payment=payment,
            customer_user=alice,
            expert_user=eve,
            customer=-2000,
            expert=1600,
            platform=400,
        )
    if stopped_after == "charged":
        payments.update(state=State.CHARGED, charged_minor=2000)
    heal(timezone.now() + timedelta(minutes=2))
    payment.refresh_from_db()
    assert (payment.state, payment.charged_minor) == (State.CHARGED, 2000)
    assert books() == [("captured", 2000), ("released", 0)]
    assert ledger.balance(eve) == {"USD": 1600}


def test_a_hold_placed_between_decision_and_capture_is_not_touched_by_the_retry(alice: User, eve: User) -> None:
    reference = held(alice, 3000)
    payment = Payment.objects.get(reference=reference)
    placed(approved_card(alice), 3000, reference)
    Payment.objects.filter(pk=payment.pk).update(state=State.CAPTURING, due_minor=3000, payee=eve)
    assert capture(reference=reference, payee=eve, amount_minor=6000).charged_minor == 3000
    assert books() == [("captured", 3000), ("released", 0)]


def test_a_refusing_processor_is_kept_for_operators_and_can_be_tried_again(alice: User, eve: User, told: Told) -> None:
    reference = held(alice, 3000)
    DemoIntent.objects.update(state=DemoIntent.State.RELEASED)  # as when a bank lets a hold lapse
    payment = capture(reference=reference, payee=eve, amount_minor=2000)
    assert (payment.state, payment.charged_minor) == (State.FAILED, 0)
    assert payment.problem
    assert not Posting.objects.exists()
    assert not told.charged
    release(reference=reference)
    payment.refresh_from_db()
    assert payment.state == State.FAILED
    DemoIntent.objects.update(state=DemoIntent.State.HELD)
    assert capture(reference=reference, payee=eve, amount_minor=9).charged_minor == 2000


def test_the_fee_of_the_day_is_a_setting(alice: User, eve: User, settings: Settings) -> None:
    settings.PLATFORM_FEE_PERCENT = 33
    assert shares(101) == (68, 33)
    capture(reference=held(alice, 3000), payee=eve, amount_minor=101)
    assert ledger.balance(eve) == {"USD": 68}


def test_release_gives_everything_back_and_charges_nothing(alice: User, eve: User) -> None:
    reference = held(alice, 3000, 1500)
    release(reference=reference)
    release(reference=reference)
    assert Payment.objects.get().state == State.RELEASED
    assert books() == [("released", 0), ("released", 0)]
    assert capture(reference=reference, payee=eve, amount_minor=2000).charged_minor == 0
    assert not Posting.objects.exists()


def test_release_leaves_a_charged_payment_alone(alice: User, eve: User) -> None:
    reference = held(alice, 3000)
    capture(reference=reference, payee=eve, amount_minor=2000)
    release(reference=reference)
    assert Payment.objects.get().state == State.CHARGED
    assert books() == [("captured", 2000)]


def test_release_of_what_was_never_held_does_nothing(db: None) -> None:
    release(reference=uuid4())
    assert not Payment.objects.exists()


def test_a_crash_while_releasing_is_healed(alice: User) -> None:
    reference = held(alice, 3000, 1500)
    Payment.objects.update(state=State.RELEASED, closed_at=timezone.now())
    Hold.objects.filter(sequence=1).update(state=Hold.State.RELEASING)
    heal(timezone.now() + timedelta(minutes=2))
    assert books() == [("released", 0), ("released", 0)]
    assert set(Hold.objects.filter(payment__reference=reference).values_list("state", flat=True)) == {"released"}


amounts = st.lists(st.integers(50, 10_000), max_size=5)


@given(st.integers(0, 60_000), amounts)
def test_split_keeps_within_every_hold_and_every_minimum(due: int, held_amounts: list[int]) -> None:
    parts = split(due, held_amounts, 50)
    assert len(parts) == len(held_amounts)
    assert all(part == 0 or 50 <= part <= amount for part, amount in zip(parts, held_amounts, strict=True))
    charged = sum(parts)
    # Never above what is due; below it only by what no allowed part could carry.
    assert max(0, min(due, sum(held_amounts)) - 49) <= charged <= min(due, sum(held_amounts))


@given(st.integers(0, 60_000), amounts, st.integers(50, 10_000))
def test_split_of_what_was_decided_gives_the_same_parts_again(due: int, held_amounts: list[int], late: int) -> None:
    parts = split(due, held_amounts, 50)
    assert split(sum(parts), held_amounts, 50) == parts
    assert split(sum(parts), [*held_amounts, late], 50) == [*parts, 0]


@given(st.integers(0, 10**9))
def test_shares_lose_nothing(charged_minor: int) -> None:
    share, fee = shares(charged_minor)
    assert share + fee == charged_minor
    assert 0 <= fee <= charged_minor * 20 / 100
