"""Operators: they see all the money, change none of it, and refund."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.capture import capture
from billing.models import DemoIntent, DemoRefund, GatewayEvent, Payment, Posting, Refund
from billing.refund import refund
from tests.billing.conftest import approved_card, charged, person, placed


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def address(payment: Payment) -> str:
    return reverse("admin:billing_payment_refund", args=[payment.pk])


def form_of(client: Client, payment: Payment) -> dict[str, str]:
    """Return what the refund page's form is filled with."""
    fields = client.get(address(payment)).context["form"]
    return {name: str(fields[name].initial or "") for name in ("refund_id", "amount", "reason")}


def test_the_refund_journey(operator: Client, alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 1250)
    page = operator.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
    assert f'href="{address(payment)}"' in page
    assert "Refund…" in page

    page = operator.get(address(payment)).content.decode()
    assert 'value="$12.50"' in page  # all that is left is offered
    assert "Visa ending 4242" in page
    assert "Eve gives back $10.00 and Hopps $2.50" in re.sub(r"\s+", " ", page)

    form = form_of(operator, payment)
    response = operator.post(address(payment), {**form, "amount": "5.00", "reason": "The sound never worked."}, follow=True)
    assert response.redirect_chain == [(reverse("admin:billing_payment_change", args=[payment.pk]), 302)]
    page = response.content.decode()
    assert "$5.00 went back to Visa ending 4242. Eve gives back $4.00 of it." in page
    assert "The sound never worked." in page

    made = Refund.objects.get()
    assert (made.amount_minor, made.by, made.reason) == (500, olga, "The sound never worked.")
    assert [row.amount_minor for row in DemoRefund.objects.all()] == [500]
    payment.refresh_from_db()
    assert payment.refunded_minor == 500
    history = operator.get(reverse("admin:billing_payment_history", args=[payment.pk])).content.decode()
    assert "Refunded $5.00: The sound never worked." in history


def test_all_that_is_left_is_what_the_form_offers(operator: Client, alice: User, eve: User) -> None:
    payment = charged(alice, eve, 123_456)
    for amount in ("$1,000.00", None):
        form = form_of(operator, payment)
        operator.post(address(payment), {**form, "amount": amount or form["amount"], "reason": "r"})
    payment.refresh_from_db()
    assert payment.refundable_minor == 0
    page = operator.get(address(payment)).content.decode()
    assert "given back already" in page
    assert '<form method="post" novalidate' not in page
    assert "Refund…" not in operator.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("amount", "12.51", "Only $12.50 of this charge is left to give back."),
        ("amount", "99999999999999999999", "Only $12.50"),
        ("amount", "0", "more than nothing"),
        ("amount", "-1", "Write the amount as a number such as $12.50."),
        ("amount", "all", "Write the amount as a number such as $12.50."),
        ("amount", "1.234", "Write the amount as a number"),
        ("amount", "", "Write how much to give back."),
        ("reason", "", "Say why"),
        ("reason", "   ", "Say why"),
        ("reason", "x" * 301, "at most 300 characters"),
        ("refund_id", "", "required"),
        ("refund_id", "1", "valid UUID"),
    ],
)
def test_a_wrong_value_is_said_at_the_field_and_gives_nothing_back(
    operator: Client, alice: User, eve: User, field: str, value: str, sentence: str
) -> None:
    payment = charged(alice, eve, 1250)
    data = {"refund_id": str(uuid4()), "amount": "5", "reason": "r", field: value}
    response = operator.post(address(payment), data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert sentence in response.context["form"].errors[field][0]
    assert sentence in response.content.decode()
    assert not Refund.objects.exists()


def test_the_button_pressed_twice_refunds_once(operator: Client, alice: User, eve: User) -> None:
    payment = charged(alice, eve, 1000)
    data = {**form_of(operator, payment), "reason": "r"}
    for _ in range(2):
        assert operator.post(address(payment), data).status_code == 302
    assert Refund.objects.count() == 1
    assert Payment.objects.get().refunded_minor == 1000


def test_somebody_else_refunded_meanwhile(operator: Client, alice: User, eve: User, olga: User) -> None:
    payment = charged(alice, eve, 1000)
    data = {**form_of(operator, payment), "reason": "r"}
    refund(payment=payment, amount_minor=700, reason="r", by=olga)
    response = operator.post(address(payment), data)
    assert response.status_code == 422
    assert "Only $3.00 of this charge is left" in response.content.decode()


def test_what_was_not_charged_offers_no_refund(operator: Client, alice: User) -> None:
    payment = placed(approved_card(alice)).payment
    assert "Refund…" not in operator.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
    assert "Nothing was charged here" in operator.get(address(payment)).content.decode()
    data = {"refund_id": str(uuid4()), "amount": "1", "reason": "r"}
    assert operator.post(address(payment), data).status_code == 422


@pytest.mark.parametrize(
    ("who", "status"), [("visitor", 302), ("alice", 302), ("eve", 302), ("looker", 403), ("refunder", 200), ("olga", 200)]
)
def test_only_operators_with_the_permission_refund(
    client: Client, alice: User, eve: User, olga: User, who: str, status: int
) -> None:
    payment = charged(alice, eve, 1000)
    people = {"alice": alice, "eve": eve, "olga": olga}
    for name, codenames in (("looker", ["view_payment"]), ("refunder", ["view_payment", "add_refund"])):
        people[name] = person(name, is_staff=True)
        people[name].user_permissions.set(Permission.objects.filter(codename__in=codenames))
    if who != "visitor":
        client.force_login(people[who])
    assert client.get(address(payment)).status_code == status
    response = client.post(address(payment), {"refund_id": str(uuid4()), "amount": "1", "reason": "r"})
    assert response.status_code == (302 if status == 200 else status)
    assert Refund.objects.count() == (status == 200)
    if who in ("looker", "refunder"):
        page = client.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
        assert ("Refund…" in page) == (who == "refunder")


def test_a_payment_that_is_not_there_is_not_found(operator: Client) -> None:
    assert operator.get(reverse("admin:billing_payment_refund", args=[uuid4()])).status_code == 404


def refused_charge(alice: User, eve: User) -> Payment:
    """Return a charge the processor refused."""
    reference = placed(approved_card(alice), 3000).payment.reference
    DemoIntent.objects.update(state=DemoIntent.State.RELEASED)
    payment = capture(reference=reference, payee=eve, amount_minor=2000)
    assert payment.state == Payment.State.FAILED
    return payment


def test_a_refused_charge_can_be_tried_again_from_its_page(operator: Client, alice: User, eve: User) -> None:
    payment = refused_charge(alice, eve)
    page = reverse("admin:billing_payment_change", args=[payment.pk])
    retry = reverse("admin:billing_payment_retry", args=[payment.pk])
    assert f'action="{retry}"' in operator.get(page).content.decode()
    assert "Refused again: Nothing is held here." in operator.post(retry, follow=True).content.decode()
    DemoIntent.objects.update(state=DemoIntent.State.HELD)
    assert "$20.00 is charged." in operator.post(retry, follow=True).content.decode()
    assert f'action="{retry}"' not in operator.get(page).content.decode()
    operator.post(retry)  # from the back button: charged once
    assert Posting.objects.count() == 1
    history = operator.get(reverse("admin:billing_payment_history", args=[payment.pk])).content.decode()
    assert "Tried to charge again: charged." in history


def test_only_operators_with_the_permission_try_again_and_only_by_the_button(
    client: Client, operator: Client, alice: User, eve: User
) -> None:
    payment = refused_charge(alice, eve)
    retry = reverse("admin:billing_payment_retry", args=[payment.pk])
    assert operator.get(retry).status_code == 405
    looker = person("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_payment"))
    for who, status in ((alice, 302), (looker, 403)):
        client.force_login(who)
        assert client.post(retry).status_code == status
    payment.refresh_from_db()
    assert payment.attempts == 1


def test_what_gateways_told_can_be_read_and_not_changed(operator: Client, db: None) -> None:
    event = GatewayEvent.objects.create(
        gateway="stripe", event_id="evt_1", type="refund.created", payload={}, subject="refund"
    )
    change = reverse("admin:billing_gatewayevent_change", args=[event.pk])
    assert operator.get(reverse("admin:billing_gatewayevent_changelist")).status_code == 200
    assert operator.get(change).status_code == 200
    assert operator.post(change, {"type": "x"}).status_code == 403


MODELS = ["payment", "card", "refund", "posting", "demointent", "demorefund"]


@pytest.mark.parametrize("model", MODELS)
def test_everything_is_readable_and_nothing_editable(
    operator: Client, alice: User, eve: User, olga: User, model: str
) -> None:
    payment = charged(alice, eve, 1000)
    made = refund(payment=payment, amount_minor=500, reason="r", by=olga)
    rows = {
        "payment": payment.pk,
        "card": payment.holds.get().card_id,
        "refund": made.pk,
        "posting": Posting.objects.values_list("pk", flat=True)[0],
        "demointent": DemoIntent.objects.get().pk,
        "demorefund": DemoRefund.objects.get().pk,
    }
    assert operator.get(reverse(f"admin:billing_{model}_changelist")).status_code == 200
    change = reverse(f"admin:billing_{model}_change", args=[rows[model]])
    assert operator.get(change).status_code == 200
    assert operator.post(change, {"amount_minor": "1"}).status_code == 403
    assert operator.get(reverse(f"admin:billing_{model}_add")).status_code == 403
    assert operator.post(reverse(f"admin:billing_{model}_delete", args=[rows[model]]), {"post": "yes"}).status_code == 403
    assert operator.post(
        reverse(f"admin:billing_{model}_changelist"), {"action": "delete_selected", "_selected_action": [str(rows[model])]}
    ).status_code in (200, 302, 403)
    assert Payment.objects.count() == Refund.objects.count() == 1


def test_payments_are_found_by_words_and_by_reference(operator: Client, alice: User, bob: User, eve: User) -> None:
    payment = charged(alice, eve, 1000)
    listed = reverse("admin:billing_payment_changelist")
    Payment.objects.create(reference=uuid4(), payer=bob, currency="USD", description="SEO")
    for unknown in ("no such thing", "%", str(uuid4())):
        assert not operator.get(listed, {"q": unknown}).context["cl"].queryset, unknown
    for known in (str(payment.reference), str(payment.pk), "slow", "alice"):
        assert list(operator.get(listed, {"q": known}).context["cl"].queryset) == [payment], known


@pytest.mark.parametrize("model", MODELS)
def test_longer_lists_make_no_more_queries(
    operator: Client,
    alice: User,
    eve: User,
    olga: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    model: str,
) -> None:
    def one_more() -> None:
        refund(payment=charged(person("Ann"), eve, 1000), amount_minor=500, reason="r", by=olga)

    listed = reverse(f"admin:billing_{model}_changelist")
    one_more()
    operator.get(listed)
    with django_assert_max_num_queries(20) as few:
        operator.get(listed)
    for _ in range(3):
        one_more()
    with django_assert_max_num_queries(len(few.captured_queries)):
        operator.get(listed)


def test_a_payment_with_more_rows_makes_no_more_queries(
    operator: Client, alice: User, eve: User, olga: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    small, big = charged(alice, eve, 1000), charged(alice, eve, 4000, 1000, 1000, 1000, 1000)
    refund(payment=small, amount_minor=1, reason="r", by=olga)
    for _ in range(6):
        refund(payment=big, amount_minor=10, reason="r", by=olga)
    operator.get(reverse("admin:billing_payment_change", args=[small.pk]))
    with django_assert_max_num_queries(40) as few:
        operator.get(reverse("admin:billing_payment_change", args=[small.pk]))
    with django_assert_max_num_queries(len(few.captured_queries)):
        operator.get(reverse("admin:billing_payment_change", args=[big.pk]))
