"""Giving back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.gateways.demo import DemoGateway
from billing.models import DemoIntent, DemoRefund, Hold, Payment, Posting, Refund
from billing.refund import RefundRefused, refund
from billing.tasks import heal
from tests.billing.conftest import Told, approved_card, charged, placed


def given_back() -> list[int]:
    """Return what the gateway's own books say was given back."""
    return sorted(DemoRefund.objects.values_list("amount_minor", flat=True))


def test_a_full_refund_takes_back_exactly_what_the_charge_gave(alice: User, eve: User, olga: User, told: Told) -> None:
    payment = charged(alice, eve, 4601)
    made = refund(payment=payment, amount_minor=4601, reason=" It did not work. ", by=olga)
    payment.refresh_from_db()
    assert (made.state, made.reason, made.by) == (Refund.State.SUCCEEDED, "It did not work.", olga)
    assert (payment.refunded_minor, payment.refundable_minor) == (4601, 0)
    assert given_back() == [4601]
    assert ledger.balance(eve) == {"USD": 0}
    assert ledger.shares_left(payment) == (0, 0)
    assert [heard.pk for heard in told.refunded] == [made.pk]


def test_many_small_refunds_leave_no_remainder(alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 53)
    share, _ = ledger.shares_left(payment)
    for refunded in range(1, 54):
        refund(payment=payment, amount_minor=1, reason="r", by=olga)
        # At every step the two give in proportion, to the cent.
        assert ledger.shares_left(payment)[0] == share - share * refunded // 53
    assert ledger.shares_left(payment) == (0, 0)


def test_parts_are_shared_in_proportion(alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 1000)
    assert refund(payment=payment, amount_minor=250, reason="r", by=olga).expert_minor == 200
    posting = Posting.objects.get(kind=Posting.Kind.REFUND)
    assert (posting.customer, posting.expert, posting.platform, posting.processor) == (250, -200, -50, 0)
    assert ledger.balance(eve) == {"USD": 600}


def test_too_much_is_refused_with_what_is_left(alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 1000)
    refund(payment=payment, amount_minor=600, reason="r", by=olga)
    with pytest.raises(RefundRefused) as refused:
        refund(payment=payment, amount_minor=401, reason="r", by=olga)
    assert "$4.00" in refused.value.sentence
    refund(payment=payment, amount_minor=400, reason="r", by=olga)
    with pytest.raises(RefundRefused, match="already"):
        refund(payment=payment, amount_minor=1, reason="r", by=olga)
    assert given_back() == [400, 600]


@pytest.mark.parametrize(("amount_minor", "reason"), [(0, "r"), (-5, "r"), (100, ""), (100, "  ")])
def test_nothing_or_no_reason_is_refused(alice: User, eve: User, olga: User, amount_minor: int, reason: str) -> None:
    with pytest.raises(RefundRefused):
        refund(payment=charged(alice, eve, 1000), amount_minor=amount_minor, reason=reason, by=olga)
    assert not Refund.objects.exists()


def test_what_was_not_charged_cannot_be_given_back(alice: User, olga: User) -> None:
    with pytest.raises(RefundRefused, match="Nothing was charged"):
        refund(payment=placed(approved_card(alice)).payment, amount_minor=1, reason="r", by=olga)


def test_the_same_form_sent_twice_refunds_once(alice: User, eve: User, olga: User, told: Told) -> None:
    payment = charged(alice, eve, 1000)
    form = uuid4()
    first = refund(payment=payment, amount_minor=300, reason="r", by=olga, refund_id=form)
    assert refund(payment=payment, amount_minor=300, reason="r", by=olga, refund_id=form) == first
    assert given_back() == [300]
    assert len(told.refunded) == 1
    with pytest.raises(RefundRefused, match="another payment"):
        refund(payment=charged(alice, eve, 1000), amount_minor=300, reason="r", by=olga, refund_id=form)


def test_it_comes_from_the_holds_in_their_order(alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 4000, 3000, 1500)
    first = refund(payment=payment, amount_minor=2900, reason="r", by=olga)
    second = refund(payment=payment, amount_minor=600, reason="r", by=olga)
    third = refund(payment=payment, amount_minor=500, reason="r", by=olga)
    assert [[part["amount_minor"] for part in made.parts] for made in (first, second, third)] == [[2900], [100, 500], [500]]
    assert all(part["ref"] for part in second.parts)
    for hold in payment.holds.all():
        intent = DemoIntent.objects.get(pk=hold.gateway_ref)
        assert sum(intent.refunds.values_list("amount_minor", flat=True)) == hold.captured_minor


@pytest.mark.parametrize("gateway_done", [True, False])
def test_a_crash_after_writing_it_down_is_healed_and_refunds_once(
    alice: User, eve: User, olga: User, told: Told, gateway_done: bool
) -> None:
    payment = charged(alice, eve, 1000)
    hold = payment.holds.get()
    left = Refund.objects.create(
        payment=payment,
        sequence=1,
        amount_minor=400,
        expert_minor=320,
        parts=[{"hold": str(hold.pk), "amount_minor": 400, "ref": ""}],
        reason="r",
        by=olga,
    )
    if gateway_done:
        DemoGateway().refund(key=f"refund:{left.pk}:1", ref=hold.gateway_ref, amount_minor=400)
    # What is written down counts at once, whoever finishes it.
    with pytest.raises(RefundRefused):
        refund(payment=payment, amount_minor=601, reason="r", by=olga)
    heal(timezone.now() + timedelta(minutes=2))
    heal(timezone.now() + timedelta(minutes=2))
    left.refresh_from_db()
    payment.refresh_from_db()
    assert left.state == Refund.State.SUCCEEDED
    assert payment.refunded_minor == 400
    assert given_back() == [400]
    assert ledger.balance(eve) == {"USD": 480}
    assert len(told.refunded) == 1


def test_a_refusing_processor_makes_it_failed_and_the_money_stays_refundable(
    alice: User, eve: User, olga: User, told: Told
) -> None:
    payment = charged(alice, eve, 1000)
    real_ref = payment.holds.get().gateway_ref
    Hold.objects.update(gateway_ref=str(uuid4()))  # the processor does not know it
    with pytest.raises(RefundRefused, match="no such hold"):
        refund(payment=payment, amount_minor=400, reason="r", by=olga)
    payment.refresh_from_db()
    assert payment.refunded_minor == 0
    assert ledger.balance(eve) == {"USD": 800}
    assert not told.refunded
    Hold.objects.update(gateway_ref=real_ref)
    refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    assert ledger.shares_left(payment) == (0, 0)
    assert Payment.objects.get().refunded_minor == 1000
