"""Where a person is signed in, and ending it from afar."""

from datetime import timedelta
from importlib import import_module

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.http import BROWSER_COOKIE
from accounts.models import PushSubscription, User
from accounts.sign_in import devices
from tests.people import PASSWORD
from tests.sessions_app.sockets import board, run, until_closed

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537"


def at(person: User, user_agent: str) -> Client:
    """Return a browser that `person` signed in with, and has used."""
    browser = Client(headers={"user-agent": user_agent})
    browser.force_login(person)
    browser.get("/sessions/")
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/sessions/").status_code == 200


def row_of(browser: Client) -> UserSession:
    return UserSession.objects.get(session_key=browser.session.session_key)


def test_every_browser_is_listed_in_plain_words_this_one_first(alice: User, bob: User) -> None:
    here, phone = at(alice, FIREFOX), at(alice, PHONE)
    at(bob, FIREFOX)
    listed = devices.devices_of(alice, this=here.session.session_key)
    assert [(device.name, device.is_this) for device in listed] == [
        ("Firefox on Windows", True),
        ("Chrome on Android", False),
    ]
    page = here.get("/accounts/sign-in/").content.decode()
    assert page.count("This device") == 1
    assert f"/accounts/sign-in/devices/{row_of(phone).pk}/sign-out/" in page
    assert "127.0.0.1" in page


def test_signing_one_out_ends_that_one_and_forgets_its_notifications(alice: User) -> None:
    here, phone, other = at(alice, FIREFOX), at(alice, PHONE), at(alice, FIREFOX)
    subscription = PushSubscription.objects.create(
        user=alice, endpoint="https://push.example/1", p256dh="k", auth="a", created_at=timezone.now()
    )
    phone.cookies[BROWSER_COOKIE] = str(subscription.pk)
    devices._noted._at.clear()  # as after five minutes
    phone.get("/sessions/")
    here.post(f"/accounts/sign-in/devices/{row_of(phone).pk}/sign-out/")
    assert (is_in(here), is_in(phone), is_in(other)) == (True, False, True)
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("page", ["/accounts/sign-in/devices/sign-out/", "/accounts/password/change/"])
def test_who_signs_out_all_others_is_told_of_requests_in_this_browser_alone(eve: User, page: str) -> None:
    here = at(eve, FIREFOX)
    mine, _ = (
        PushSubscription.objects.create(
            user=eve, endpoint=f"https://push.example/{name}", p256dh="k", auth="a", created_at=timezone.now()
        )
        for name in ("mine", "others")
    )
    here.cookies[BROWSER_COOKIE] = str(mine.pk)
    here.post(page, {"oldpassword": PASSWORD, "password1": "brand-new-words-1", "password2": "brand-new-words-1"})
    assert list(PushSubscription.objects.all()) == [mine]
    assert is_in(here)


def test_a_password_that_an_owner_sets_ends_the_persons_sign_ins_and_none_of_the_owners(alice: User, olga: User) -> None:
    phone, owners = at(alice, PHONE), at(olga, FIREFOX)
    form = {"password1": "brand-new-words-1", "password2": "brand-new-words-1", "usable_password": "true"}
    assert owners.post(f"/admin/accounts/user/{alice.pk}/password/", form).status_code == 302
    assert (is_in(phone), is_in(owners)) == (False, True)
    assert not UserSession.objects.filter(user=alice).exists()


def test_all_others_go_at_once(alice: User, bob: User) -> None:
    here, phone, other, bobs = at(alice, FIREFOX), at(alice, PHONE), at(alice, FIREFOX), at(bob, FIREFOX)
    here.post("/accounts/sign-in/devices/sign-out/")
    assert [is_in(browser) for browser in (here, phone, other, bobs)] == [True, False, False, True]


def test_nobody_signs_somebody_else_out(alice: User, bob: User) -> None:
    alices = at(alice, FIREFOX)
    at(bob, PHONE).post(f"/accounts/sign-in/devices/{row_of(alices).pk}/sign-out/")
    assert is_in(alices)


def test_signing_out_oneself_leaves_the_list(alice: User) -> None:
    at(alice, FIREFOX).post("/accounts/logout/")
    assert not UserSession.objects.exists()


def test_another_password_leaves_one_device(alice: User) -> None:
    here = at(alice, FIREFOX)
    phone = at(alice, PHONE)
    form = {"oldpassword": PASSWORD, "password1": "brand-new-words-1", "password2": "brand-new-words-1"}
    here.post("/accounts/password/change/", form)
    assert (is_in(here), is_in(phone)) == (True, False)
    assert [device.is_this for device in devices.devices_of(alice, this=here.session.session_key)] == [True]


def test_use_is_noted_once_in_five_minutes_and_costs_nothing_between(alice: User) -> None:
    browser = at(alice, FIREFOX)
    long_ago = timezone.now() - timedelta(days=1)
    UserSession.objects.update(last_seen_at=long_ago)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/sessions/")
    assert not any("usersession" in query["sql"] for query in queries)
    devices._noted._at.clear()  # as after five minutes
    browser.get("/sessions/")
    assert row_of(browser).last_seen_at > timezone.now() - timedelta(minutes=1)


def test_a_sign_in_that_ran_out_is_listed_no_more(alice: User) -> None:
    here, phone = at(alice, FIREFOX), at(alice, PHONE)
    import_module(settings.SESSION_ENGINE).SessionStore().delete(phone.session.session_key)
    assert [device.is_this for device in devices.devices_of(alice, this=here.session.session_key)] == [True]


@pytest.mark.django_db(transaction=True)
def test_a_device_that_is_signed_out_loses_its_open_pages_and_no_other_does(eve: User) -> None:
    here, there = at(eve, FIREFOX), at(eve, PHONE)
    device = row_of(there).pk
    mine, theirs = board(eve, here), board(eve, there)

    async def journey() -> None:
        for page in (mine, theirs):
            assert await page.open()
            await page.hear("board_state")
        await sync_to_async(devices.sign_out)(user=eve, device=device)
        assert await until_closed(theirs) == 4403
        await mine.say(type="sync")
        await mine.hear("board_state")
        await mine.close()

    run(journey)


@pytest.mark.django_db(transaction=True)
def test_a_new_password_closes_what_other_devices_have_open(eve: User) -> None:
    here, there = at(eve, FIREFOX), at(eve, PHONE)
    theirs = board(eve, there)
    form = {"oldpassword": PASSWORD, "password1": "brand-new-words-1", "password2": "brand-new-words-1"}

    async def journey() -> None:
        assert await theirs.open()
        await theirs.hear("board_state")
        await sync_to_async(here.post)("/accounts/password/change/", form)
        assert await until_closed(theirs) == 4403

    run(journey)
