"""How much operators give back: managers any amount, support so much of one payment, all of support together."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.permissions import Team
from billing.models import Payment, Refund
from billing.refund import RefundRefused, most_of, refund
from tests.billing.conftest import charged, person


@pytest.fixture(autouse=True)
def five_dollars(settings: Settings) -> None:
    settings.SUPPORT_REFUND_LIMIT = 500


def operator(name: str, team: Team) -> User:
    user = person(name, is_staff=True)
    user.groups.add(Group.objects.get(name=team))
    return user


@pytest.fixture
def sam(db: None) -> User:
    return operator("Sam", Team.SUPPORT)


@pytest.fixture
def mona(db: None) -> User:
    return operator("Mona", Team.MANAGER)


@pytest.fixture
def payment(alice: User, eve: User) -> Payment:
    return charged(alice, eve, 2000)


def give(payment: Payment, amount_minor: int, by: User | None) -> Refund:
    return refund(payment=payment, amount_minor=amount_minor, reason="The sound never worked.", by=by)


def test_support_gives_back_up_to_the_limit_and_no_coin_more(payment: Payment, sam: User) -> None:
    with pytest.raises(RefundRefused, match=r"You may give back \$5\.00 of this payment\. Ask a manager"):
        give(payment, 501, sam)
    assert give(payment, 500, sam).amount_minor == 500


def test_the_limit_is_for_all_refunds_of_a_payment_by_support_together(payment: Payment, sam: User) -> None:
    give(payment, 200, sam)
    assert most_of(payment=payment, by=sam) == 300
    other = operator("Sue", Team.SUPPORT)
    with pytest.raises(RefundRefused, match=r"You may give back \$3\.00"):
        give(payment, 301, other)
    give(payment, 300, other)
    for one in (sam, other):
        with pytest.raises(RefundRefused, match="You may give back no more of this payment"):
            give(payment, 1, one)


def test_another_payment_has_a_limit_of_its_own(payment: Payment, sam: User, alice: User, eve: User) -> None:
    give(payment, 500, sam)
    assert give(charged(alice, eve, 2000), 500, sam).amount_minor == 500


def test_managers_and_the_rules_have_no_limit_and_use_none_of_it_up(payment: Payment, sam: User, mona: User) -> None:
    give(payment, 700, mona)
    give(payment, 400, None)
    assert give(payment, 500, sam).amount_minor == 500
    assert give(payment, 400, mona).amount_minor == 400
    payment.refresh_from_db()
    assert most_of(payment=payment, by=mona) == 0


def test_what_is_left_of_the_charge_is_the_other_limit(payment: Payment, sam: User, mona: User) -> None:
    give(payment, 1900, mona)
    payment.refresh_from_db()
    assert most_of(payment=payment, by=sam) == 100
    with pytest.raises(RefundRefused, match=r"Only \$1\.00 of this charge is left"):
        give(payment, 101, sam)


def test_a_refund_that_failed_did_not_use_the_limit_up(payment: Payment, sam: User) -> None:
    made = give(payment, 500, sam)
    Refund.objects.filter(pk=made.pk).update(state=Refund.State.FAILED)
    assert most_of(payment=payment, by=sam) == 500


def test_who_may_not_refund_has_nothing_to_give(payment: Payment, eve: User) -> None:
    for nobody in (eve, person("Nora", is_staff=True)):
        with pytest.raises(RefundRefused, match="You may give back no more"):
            give(payment, 1, nobody)


def test_who_leaves_support_for_managers_has_no_limit_any_more(payment: Payment, sam: User) -> None:
    give(payment, 500, sam)
    sam.groups.add(Group.objects.get(name=Team.MANAGER))
    promoted = User.objects.get(pk=sam.pk)
    assert give(payment, 1500, promoted).amount_minor == 1500


def test_the_same_form_sent_twice_by_support_refunds_once(client: Client, payment: Payment, sam: User) -> None:
    client.force_login(sam)
    address = reverse("admin:billing_payment_refund", args=[payment.pk])
    form = client.get(address).context["form"]
    assert form.initial["amount"] == "$5.00"
    data = {"refund_id": str(form.initial["refund_id"]), "amount": "5", "reason": "r"}
    for _ in range(2):
        assert client.post(address, data).status_code == 302
    assert [made.amount_minor for made in Refund.objects.all()] == [500]
    answer = client.post(address, data | {"refund_id": "11111111-1111-4111-8111-111111111111", "amount": "1"})
    assert answer.status_code == 422
    assert "Ask a manager" in answer.content.decode()
