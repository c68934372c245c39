"""Who does nothing without a second step of signing in, and the way out for who lost it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import Topic, User
from accounts.permissions import Do, may
from hopps.at_rest import seal
from tests.people import make_person, make_request
from tests.sessions_app.sockets import admitted, board, run

pytestmark = pytest.mark.django_db

ADMIN_PAGES = ["/admin/", "/admin/accounts/user/", "/admin/billing/payment/", "/admin/sessions_app/case/", "/admin/no/such/"]
SET_UP = "/accounts/sign-in/"


@pytest.fixture
def jobs_at_once() -> Iterator[None]:
    HUEY.immediate = True
    yield
    HUEY.immediate = False


def give_app(person: User) -> Authenticator:
    return Authenticator.objects.create(user=person, type="totp", data={"secret": seal("A" * 32)})


def signed_in(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def boss(db: None) -> User:
    boss = make_person("boss@example.org", "Boss")
    User.objects.filter(pk=boss.pk).update(is_staff=True, is_superuser=True)
    boss.refresh_from_db()
    return boss


def test_an_operator_without_one_sees_no_admin_page_and_is_led_to_set_it_up(boss: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR_OPERATORS = True
    browser = signed_in(boss)
    for page in ADMIN_PAGES:
        assert browser.get(page)["Location"] == SET_UP
        assert browser.post(page)["Location"] == SET_UP
    assert browser.get("/sessions/").status_code == 200
    assert "You need a second step" in browser.get(SET_UP).content.decode()


def test_an_operator_without_one_sees_no_photo_of_people_they_never_met(boss: User, alice: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR_OPERATORS = True
    assert not may(boss, Do.SEE_PHOTO, alice)
    assert may(boss, Do.SEE_PHOTO, boss)
    give_app(boss)
    assert may(boss, Do.SEE_PHOTO, alice)


def test_an_operator_with_one_goes_on_where_they_were(boss: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR_OPERATORS = True
    browser = signed_in(boss)
    browser.get("/admin/billing/payment/?state=charged")
    give_app(boss)
    assert 'href="/admin/billing/payment/?state=charged"' in browser.get(SET_UP).content.decode()
    assert browser.get("/admin/billing/payment/").status_code == 200


def test_the_setting_may_leave_operators_alone(boss: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR_OPERATORS = False
    assert signed_in(boss).get("/admin/").status_code == 200


def test_the_admin_has_no_way_in_of_its_own(boss: User, alice: User, client: Client) -> None:
    form = {"username": boss.email, "password": "correct-horse-1", "next": "/admin/"}
    assert client.post("/admin/login/", form)["Location"].startswith("/accounts/login/")
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/login/?next=https://evil.example/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert signed_in(alice).get("/admin/", follow=True).status_code == 404
    assert signed_in(boss).get("/admin/login/?next=/admin/billing/payment/")["Location"] == "/admin/billing/payment/"


def test_experts_need_one_where_the_setting_says_so(alice: User, eve: User, topic: Topic, settings: Settings) -> None:
    request = make_request(alice, topic)
    browser = signed_in(eve)
    assert browser.get("/expert/").status_code == 200
    settings.SECOND_FACTOR_FOR_EXPERTS = True
    for page in ("/expert/", "/expert/earnings/", "/expert/settings/reach/"):
        assert browser.get(page)["Location"] == SET_UP
    accept = f"/sessions/{request.pk}/accept/"
    answer = browser.post(accept, headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert "second step" in answer.json()["error"]
    assert not may(User.objects.get(pk=eve.pk), Do.USE_BOARD)
    request.refresh_from_db()
    assert request.expert is None
    assert signed_in(alice).get("/expert/apply/").status_code == 200
    give_app(eve)
    assert may(User.objects.get(pk=eve.pk), Do.USE_BOARD)
    assert browser.get("/expert/").status_code == 200
    assert browser.post(accept)["Location"] == f"/sessions/{request.pk}/"


@pytest.mark.django_db(transaction=True)
def test_the_boards_socket_is_for_those_alone_and_closes_when_the_last_one_goes(eve: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR_EXPERTS = True
    without, page = board(eve), board(eve)

    def take_away() -> None:
        app = Authenticator.objects.get(user=eve)
        browser = signed_in(eve)
        assert browser.post("/accounts/2fa/totp/deactivate/").status_code == 302
        assert not Authenticator.objects.filter(pk=app.pk).exists()

    async def journey() -> None:
        assert not await admitted(without)
        await sync_to_async(give_app)(eve)
        assert await page.open()
        await page.hear("board_state")
        await sync_to_async(take_away)()
        while (output := await page.socket.receive_output(timeout=10))["type"] != "websocket.close":
            pass
        assert output["code"] == 4403

    run(journey)


def test_an_operator_takes_a_lost_second_step_away_and_it_is_mailed_and_kept(
    boss: User, alice: User, jobs_at_once: None
) -> None:
    give_app(alice)
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": seal("a"), "used_mask": 0})
    browser = signed_in(boss)
    page = f"/admin/accounts/user/{alice.pk}/second-step/"
    assert page in browser.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert browser.get(page).status_code == 200
    assert Authenticator.objects.filter(user=alice).count() == 2
    assert browser.post(page).status_code == 302
    assert not Authenticator.objects.filter(user=alice).exists()
    assert LogEntry.objects.get(user=boss).object_id == str(alice.pk)
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["alice@example.org"], "Your second step was taken away")
    ]


def test_nobody_else_takes_one_away(boss: User, alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    give_app(alice)
    give_app(boss)
    for person, of in ((bob, alice), (bob, boss), (alice, boss)):
        answer = signed_in(person).post(f"/admin/accounts/user/{of.pk}/second-step/", follow=True)
        assert answer.status_code in (403, 404)
    assert Authenticator.objects.count() == 2
    assert signed_in(boss).post(f"/admin/accounts/user/{uuid4()}/second-step/").status_code == 404


def test_no_admin_page_shows_the_keys_of_apps(boss: User, alice: User) -> None:
    app = give_app(alice)
    browser = signed_in(boss)
    assert browser.get(f"/admin/mfa/authenticator/{app.pk}/change/").status_code == 404
    assert browser.get("/admin/usersessions/usersession/").status_code == 404
