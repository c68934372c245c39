"""Keeping a person out, and letting them in again: who may, what is written down, and what ends at once."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import suspending
from accounts.models import PushSubscription, Suspension, User
from hopps.errors import Refused
from tests.people import PASSWORD, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def page_to(what: str, person: User) -> str:
    return reverse(f"admin:accounts_user_{what}", args=[person.pk])


def sign_in(person: User) -> Client:
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def assistant(name: str, *rights: str) -> User:
    """Return an operator with these permissions and no others."""
    person = make_person(f"{name.lower()}@example.org", name)
    User.objects.filter(pk=person.pk).update(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return User.objects.get(pk=person.pk)


def test_an_operator_gives_a_reason_is_asked_and_it_is_written_down(operator: Client, olga: User, alice: User) -> None:
    page = operator.get(page_to("suspend", alice)).content.decode()
    assert "A request of theirs is called off and its hold released." in page
    assert operator.post(page_to("suspend", alice), {"reason": ""}).status_code == 422
    assert User.objects.get(pk=alice.pk).is_active
    assert operator.post(page_to("suspend", alice), {"reason": "Threatened Eve"}).status_code == 302
    suspension = Suspension.objects.get()
    assert (suspension.user, suspension.by, suspension.reason) == (alice, olga, "Threatened Eve")
    assert not User.objects.get(pk=alice.pk).is_active
    assert LogEntry.objects.get().change_message == "Suspended: Threatened Eve"
    shown = operator.get(page_to("change", alice)).content.decode()
    assert "No: suspended by Olga, Threatened Eve" in shown
    assert page_to("lift", alice) in shown


def test_every_sign_in_of_theirs_ends_and_none_of_others(alice: User, bob: User, olga: User) -> None:
    browsers, bobs = [sign_in(alice), sign_in(alice)], sign_in(bob)
    suspending.suspend(user=alice, by=olga, reason="Threatened Eve")
    for browser in browsers:
        answer = browser.get("/sessions/")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/login/")
        # A page's script is led there too, and says that one is signed out.
        assert browser.post("/expert/quiet/", headers={"Accept": "application/json"}).status_code == 302
    assert bobs.get("/sessions/").status_code == 200
    assert not UserSession.objects.filter(user=alice).exists()
    keys = [browser.cookies["sessionid"].value for browser in browsers]
    assert not Session.objects.filter(session_key__in=keys).exists()


def test_suspended_they_cannot_sign_in_and_lifted_they_can(operator: Client, alice: User) -> None:
    operator.post(page_to("suspend", alice), {"reason": "Threatened Eve"})
    answer = Client().post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("account_inactive")
    assert "Threatened" not in answer.content.decode()
    assert "Threatened Eve" in operator.get(page_to("lift", alice)).content.decode()
    assert operator.post(page_to("lift", alice)).status_code == 302
    suspension = Suspension.objects.get()
    assert suspension.lifted_at is not None
    assert suspension.lifted_by is not None
    assert sign_in(alice).get("/sessions/").status_code == 200


def test_let_in_again_nobody_is_told_of_requests_where_they_were_signed_out(
    operator: Client, alice: User, olga: User
) -> None:
    PushSubscription.objects.create(
        user=alice, endpoint="https://push.example/1", p256dh="k", auth="a", created_at=timezone.now()
    )
    suspending.suspend(user=alice, by=olga, reason="Threatened Eve")
    suspending.lift(user=alice, by=olga)
    assert not PushSubscription.objects.exists()


def test_twice_is_refused_in_a_sentence_and_a_second_one_later_is_a_row_of_its_own(alice: User, olga: User) -> None:
    suspending.suspend(user=alice, by=olga, reason="Threatened Eve")
    with pytest.raises(Refused, match="suspended already"):
        suspending.suspend(user=alice, by=olga, reason="Again")
    assert suspending.lift(user=alice, by=olga)
    assert not suspending.lift(user=alice, by=olga)
    suspending.suspend(user=alice, by=olga, reason="Again")
    assert Suspension.objects.count() == 2


def test_nobody_suspends_themselves_and_no_assistant_a_superuser(olga: User, alice: User) -> None:
    with pytest.raises(Refused, match="yourself"):
        suspending.suspend(user=olga, by=olga, reason="Tired")
    oscar, paula = assistant("Oscar", "add_suspension", "change_suspension"), assistant("Paula", "view_user")
    browser = Client()
    for person, whom, status in ((olga, olga, 403), (oscar, olga, 403), (paula, alice, 403), (oscar, alice, 302)):
        browser.force_login(person)
        assert browser.post(page_to("suspend", whom), {"reason": "Because"}).status_code == status
    assert Suspension.objects.get().user == alice


def test_a_deleted_account_is_neither_suspended_nor_let_in(alice: User, olga: User) -> None:
    User.objects.filter(pk=alice.pk).update(erased_at=timezone.now(), is_active=False)
    for change in (
        lambda: suspending.suspend(user=alice, by=olga, reason="Threatened Eve"),
        lambda: suspending.lift(user=alice, by=olga),
    ):
        with pytest.raises(Refused, match="deleted"):
            change()
    assert not User.objects.get(pk=alice.pk).is_active


def test_the_form_of_a_person_has_no_switch_for_it(operator: Client, alice: User) -> None:
    page = operator.get(page_to("change", alice)).content.decode()
    assert page_to("suspend", alice) in page
    assert 'name="is_active"' not in page


def test_a_suspension_that_a_crash_left_half_done_is_done(alice: User, olga: User) -> None:
    Suspension.objects.create(user=alice, by=olga, reason="Threatened Eve")
    suspending.heal_suspensions()
    assert not User.objects.get(pk=alice.pk).is_active
