"""Where earnings go: opening an account, the way through the demo's page, and what operators see of it."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.gateways.base import GatewayUnavailable
from billing.gateways.demo import DemoGateway
from billing.models import DemoAccount, Payout, PayoutAccount
from billing.payout_accounts import account_of, open_account, refresh_account
from billing.payouts import pay_everybody
from tests.billing.conftest import person
from tests.billing.payday import NOW, WEEK, earned, make_refuse, ready_account

EARNINGS = "/expert/earnings/"


@pytest.fixture
def as_eve(client: Client, eve: User) -> Client:
    client.force_login(eve)
    return client


def test_opening_twice_gives_the_same_account(eve: User) -> None:
    account = open_account(owner=eve)
    assert open_account(owner=eve) == account == account_of(eve)
    assert DemoAccount.objects.get().key == f"account:{eve.pk}"
    assert not account.ready


def test_an_account_opened_before_a_crash_is_found_again(eve: User) -> None:
    before = DemoGateway().open_account(key=f"account:{eve.pk}")
    assert open_account(owner=eve).gateway_ref == before.ref


def test_looking_again_writes_what_the_gateway_says_now(eve: User) -> None:
    account = open_account(owner=eve)
    assert not refresh_account(account).ready
    DemoGateway().finish_account(account.gateway_ref)
    assert refresh_account(account).ready
    # A bank may be taken away again.
    make_refuse(account)
    assert not refresh_account(account).ready


def test_the_whole_way_through_the_demos_page(as_eve: Client, eve: User) -> None:
    assert "Set up payouts" in as_eve.get(EARNINGS).content.decode()
    to_page = as_eve.post(reverse("payout_account"))
    account = PayoutAccount.objects.get(owner=eve)
    assert to_page["Location"] == reverse("demo_account", args=[account.gateway_ref])
    page = as_eve.get(to_page["Location"]).content.decode()
    assert "Where should your earnings go?" in page
    assert "Demo, no real money" in page
    # Left without an answer: nothing is set up, and the page says how to go on.
    left = as_eve.get(reverse("payout_return"), follow=True).content.decode()
    assert "Something is still missing" in left
    assert "Finish setting up payouts" in left
    back = as_eve.post(to_page["Location"])
    assert back["Location"] == reverse("payout_return")
    done = as_eve.get(back["Location"], follow=True)
    assert done.redirect_chain == [(EARNINGS, 302)]
    assert "Payouts are set up." in done.content.decode()
    account.refresh_from_db()
    assert account.ready


def test_nobody_finishes_anothers_account(client: Client, eve: User, bob: User) -> None:
    account = open_account(owner=eve)
    client.force_login(bob)
    address = reverse("demo_account", args=[account.gateway_ref])
    assert (client.get(address).status_code, client.post(address).status_code) == (404, 404)
    assert not DemoAccount.objects.get().ready
    assert client.get(reverse("demo_account", args=[uuid4()])).status_code == 404


def test_without_an_account_there_is_nothing_to_come_back_from_or_to_see(as_eve: Client) -> None:
    for answer in (as_eve.get(reverse("payout_return"), follow=True), as_eve.post(reverse("payout_dashboard"), follow=True)):
        assert "You have not set up payouts yet." in answer.content.decode()


def test_the_demo_has_no_page_of_its_own_to_lead_to(as_eve: Client, eve: User) -> None:
    ready_account(eve)
    assert "See it at" not in as_eve.get(EARNINGS).content.decode()
    answer = as_eve.post(reverse("payout_dashboard"), follow=True)
    assert "All there is to see is on this page." in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "name", "sentence"),
    [
        ("open_account", "payout_account", "could not be set up just now: The processor is not answering."),
        ("account_state", "payout_return", "could not see how your account stands"),
        ("account_dashboard", "payout_dashboard", "could not be opened just now: The processor is not answering."),
    ],
)
def test_a_silent_processor_is_said_in_a_sentence(
    as_eve: Client, eve: User, monkeypatch: pytest.MonkeyPatch, method: str, name: str, sentence: str
) -> None:
    if method != "open_account":
        open_account(owner=eve)

    def silent(*_: object, **__: object) -> None:
        raise GatewayUnavailable("The processor is not answering.")

    monkeypatch.setattr(DemoGateway, method, silent)
    ask = as_eve.get if name == "payout_return" else as_eve.post
    answer = ask(reverse(name), follow=True)
    assert answer.redirect_chain == [(EARNINGS, 302)]
    assert sentence in answer.content.decode()


def test_a_suspended_expert_is_still_paid_what_they_earned(as_eve: Client, alice: User, eve: User) -> None:
    earned(alice, eve, 1000)
    eve.expert.state = "suspended"
    eve.expert.save()
    assert as_eve.get(EARNINGS).status_code == 200
    ready_account(eve)
    assert [row.amount_minor for row in pay_everybody(NOW)] == [800]


# --- What operators see ---


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_operators_see_accounts_with_what_is_owed_in_one_query(
    operator: Client, alice: User, eve: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    earned(alice, eve, 1000)
    earned(alice, eve, 500, currency="EUR")
    account = ready_account(eve)
    address = reverse("admin:billing_payoutaccount_changelist")
    page = operator.get(address).content.decode()
    assert "€4.00, $8.00" in page
    detail = operator.get(reverse("admin:billing_payoutaccount_change", args=[account.pk])).content.decode()
    assert "€4.00, $8.00" in detail
    with django_assert_max_num_queries(30) as few:
        operator.get(address)
    for name in ("Erin", "Ed", "Ella"):
        expert = person(name)
        ready_account(expert)
        earned(alice, expert, 1000)
    with django_assert_max_num_queries(len(few.captured_queries)):
        operator.get(address)


def look_again(client: Client, *accounts: PayoutAccount) -> str:
    order = {"action": "look_again", "_selected_action": [str(account.pk) for account in accounts]}
    return client.post(reverse("admin:billing_payoutaccount_changelist"), order, follow=True).content.decode()


def test_operators_have_the_gateway_asked_again(operator: Client, eve: User) -> None:
    account = open_account(owner=eve)
    assert "cannot be paid to yet" in look_again(operator, account)
    DemoGateway().finish_account(account.gateway_ref)
    assert "Eve at demo can be paid to" in look_again(operator, account)
    account.refresh_from_db()
    assert account.ready


def test_who_may_only_look_cannot_have_the_gateway_asked(client: Client, eve: User) -> None:
    viewer = person("Vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_payoutaccount"))
    client.force_login(viewer)
    account = open_account(owner=eve)
    DemoGateway().finish_account(account.gateway_ref)
    assert "Look at the account again" not in client.get(reverse("admin:billing_payoutaccount_changelist")).content.decode()
    look_again(client, account)
    account.refresh_from_db()
    assert not account.ready


def test_operators_find_every_payout_and_can_change_none(operator: Client, alice: User, eve: User) -> None:
    account = ready_account(eve)
    earned(alice, eve, 1000)
    make_refuse(account)
    pay_everybody(NOW)
    ready_account(eve)
    pay_everybody(NOW + WEEK)
    address = reverse("admin:billing_payout_changelist")
    assert operator.get(address, {"state": "failed"}).context["cl"].result_count == 1
    assert operator.get(address, {"q": "2026-W49"}).context["cl"].result_count == 1
    page = operator.get(address).content.decode()
    assert "This account cannot be paid to yet." in page
    for payout in Payout.objects.all():
        detail = reverse("admin:billing_payout_change", args=[payout.pk])
        assert "$8.00" in operator.get(detail).content.decode()
        assert operator.post(detail, {"amount_minor": 1}).status_code == 403
        assert operator.post(reverse("admin:billing_payout_delete", args=[payout.pk]), {"post": "yes"}).status_code == 403
