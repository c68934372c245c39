"""A person's browsers: turned on and off, moved, forgotten, and told."""

import re
from base64 import urlsafe_b64encode

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as project
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from accounts import outbox, push
from accounts.models import Message, PushSubscription, User
from accounts.sign_in import devices
from hopps.errors import Refused
from hopps.push import Notification
from hopps.sending import NotTaken, Taken, TurnedDown
from hopps.vapid import public_key
from tests.peers.push_service import Browser, PushService, push_service
from tests.people import PASSWORD

__all__ = ["push_service"]

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
SHOWN = Notification("show", "request-1", "Alice is stuck", "Databases")


@pytest.fixture
def eves(client: Client, eve: User) -> Client:
    """A browser Eve is signed in with."""
    client.force_login(eve)
    return client


@pytest.fixture
def browser(push_service: PushService) -> Browser:
    return another(push_service)


def another(push_service: PushService) -> Browser:
    return push_service.browser(server_key=public_key(project.VAPID_PRIVATE_KEY))


def keep(user: User, browser: Browser, device: str = "") -> PushSubscription:
    return push.subscribe(user=user, endpoint=browser.endpoint, **browser.keys, device=device)


def turn_on(client: Client, browser: Browser, **others: object) -> dict[str, str]:
    """Subscribe as a page's JavaScript does; return the answer."""
    fields = {"endpoint": browser.endpoint, "keys": browser.keys, **others}
    answer = client.post(reverse("push_subscribe"), fields, content_type="application/json", headers={"User-Agent": PHONE})
    assert answer.status_code == 200, answer.content
    told: dict[str, str] = answer.json()
    return told


def part(user: User, client: Client) -> str:
    """Return the notifications' part of a page, as `user` sees it in `client`'s browser."""
    request = RequestFactory().get("/expert/settings/reach/")
    request.user = user
    request.COOKIES.update({name: morsel.value for name, morsel in client.cookies.items()})
    return re.sub(r"\s+", " ", render_to_string("experts/_push.html", request=request))


# --- on and off ---


def test_a_browser_turned_on_is_named_and_kept_once(eves: Client, eve: User, browser: Browser) -> None:
    first, second = turn_on(eves, browser), turn_on(eves, browser)
    kept = PushSubscription.objects.get()
    assert first["id"] == second["id"] == str(kept.pk)
    assert (kept.user, kept.endpoint, kept.device) == (eve, browser.endpoint, "Chrome on Android")


def test_signing_the_device_out_from_afar_a_moment_later_turns_it_off(eves: Client, eve: User, browser: Browser) -> None:
    turn_on(eves, browser)
    device = UserSession.objects.get(session_key=eves.session.session_key)
    assert devices.sign_out(user=eve, device=device.pk)
    assert not PushSubscription.objects.exists()


def test_a_plain_form_turns_it_on_too(eves: Client, browser: Browser) -> None:
    answer = eves.post(reverse("push_subscribe"), {"endpoint": browser.endpoint, **browser.keys})
    assert answer.status_code == 200
    kept = PushSubscription.objects.get()
    assert {"p256dh": kept.p256dh, "auth": kept.auth} == browser.keys


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("endpoint", "", "https address"),
        ("endpoint", "http://push.example.org/1", "https address"),
        ("endpoint", "https://push.example.org/" + "x" * 1000, "longer than 1000"),
        ("p256dh", "", "65 bytes"),
        ("p256dh", urlsafe_b64encode(b"\4" + b"\1" * 64).decode(), "65 bytes"),
        ("p256dh", "not base64!", "65 bytes"),
        ("auth", "AAAA", "16 bytes"),
        ("auth", "é" * 22, "16 bytes"),
        ("auth", "A" * 22 + "=" * 500, "16 bytes"),
    ],
)
def test_what_cannot_be_a_browser_is_refused_in_a_sentence(
    eves: Client, browser: Browser, field: str, value: str, sentence: str
) -> None:
    answer = eves.post(reverse("push_subscribe"), {"endpoint": browser.endpoint, **browser.keys, field: value})
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"endpoint": 7, "keys": [1]}', "[" * 100_000, "\x00"])
def test_what_is_no_json_is_refused_in_a_sentence(eves: Client, body: str) -> None:
    for name in ("push_subscribe", "push_unsubscribe"):
        answer = eves.post(reverse(name), body, content_type="application/json")
        assert answer.status_code == 422
        assert answer.json()["error"]


def test_in_production_the_push_service_must_be_public(eve: User, browser: Browser, settings: Settings) -> None:
    settings.DEVELOPMENT = False
    with pytest.raises(Refused, match="https"):
        keep(eve, browser)
    with pytest.raises(Refused, match="public name"):
        push.subscribe(user=eve, endpoint="https://10.0.0.1/1", **browser.keys)


def test_a_browser_another_person_sits_at_is_theirs(eve: User, erin: User, browser: Browser) -> None:
    keep(eve, browser)
    keep(erin, browser)
    assert PushSubscription.objects.get().user == erin
    assert isinstance(push.push_to(eve, SHOWN), TurnedDown)
    push.push_to(erin, SHOWN)
    assert browser.next().content["title"] == "Alice is stuck"
    assert browser.nothing_came()


def test_a_person_has_the_newest_ten_browsers(eve: User, push_service: PushService) -> None:
    first = keep(eve, another(push_service))
    others = [keep(eve, another(push_service)) for _ in range(push.MOST_BROWSERS)]
    assert set(PushSubscription.objects.values_list("pk", flat=True)) == {one.pk for one in others}
    assert first.pk not in {one.pk for one in others}


def test_an_address_the_push_service_changed_takes_the_place_of_the_old_one(
    eves: Client, eve: User, erin: User, push_service: PushService
) -> None:
    old, fresh, erins = (another(push_service) for _ in range(3))
    turn_on(eves, old)
    keep(erin, erins)
    # What the worker asks for first: a token, as it has no page to find one on.
    told = eves.get(reverse("push_subscribe")).json()
    assert told["key"] == public_key(project.VAPID_PRIVATE_KEY)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(eve)
    token = strict.get(reverse("push_subscribe")).json()["token"]
    body = {"endpoint": fresh.endpoint, "keys": fresh.keys, "replaces": old.endpoint}

    def send(token: str) -> int:
        return strict.post(
            reverse("push_subscribe"), body, content_type="application/json", headers={"X-CSRFToken": token}
        ).status_code

    assert (send("guessed"), send(token)) == (403, 200)
    # Another person's is not to be replaced.
    turn_on(eves, fresh, replaces=erins.endpoint)
    assert set(PushSubscription.objects.values_list("endpoint", flat=True)) == {fresh.endpoint, erins.endpoint}


def test_signing_out_ends_the_notifications_of_this_browser_alone(
    client: Client, eve: User, push_service: PushService
) -> None:
    client.login(email=eve.email, password=PASSWORD)
    here, elsewhere = another(push_service), another(push_service)
    turn_on(client, here)
    keep(eve, elsewhere)
    client.post(reverse("account_logout"))
    assert PushSubscription.objects.get().endpoint == elsewhere.endpoint


def test_signing_out_leaves_a_browser_that_became_another_persons(
    client: Client, eve: User, erin: User, browser: Browser
) -> None:
    client.force_login(eve)
    turn_on(client, browser)
    keep(erin, browser)
    client.post(reverse("account_logout"))
    assert PushSubscription.objects.get().user == erin


def test_who_signs_in_at_anothers_browser_ends_the_others_notifications_there(
    client: Client, eve: User, erin: User, push_service: PushService
) -> None:
    client.force_login(eve)
    turn_on(client, another(push_service))
    elsewhere = keep(eve, another(push_service))
    # Eve's session ran out; she never signed out.
    del client.cookies[project.SESSION_COOKIE_NAME]
    client.post(reverse("account_login"), {"login": eve.email, "password": PASSWORD})
    assert PushSubscription.objects.count() == 2
    del client.cookies[project.SESSION_COOKIE_NAME]
    client.post(reverse("account_login"), {"login": erin.email, "password": PASSWORD})
    assert PushSubscription.objects.get() == elsewhere


def test_a_cookie_that_names_no_browser_does_not_keep_anybody_from_signing_in_or_out(client: Client, eve: User) -> None:
    client.cookies["hopps_push"] = "nonsense"
    client.post(reverse("account_login"), {"login": eve.email, "password": PASSWORD})
    assert client.post(reverse("account_logout")).status_code == 302


def test_a_browser_is_removed_without_javascript(eves: Client, eve: User, browser: Browser) -> None:
    kept = keep(eve, browser)
    answer = eves.post(reverse("push_unsubscribe"), {"browser": str(kept.pk), "next": "/settings/"}, follow=True)
    assert answer.redirect_chain == [("/settings/", 302)]
    assert "That browser shows no notifications any more." in answer.content.decode()
    assert not PushSubscription.objects.exists()
    again = eves.post(reverse("push_unsubscribe"), {"browser": str(kept.pk), "next": "//evil.example.org/"}, follow=True)
    assert again.redirect_chain == [(reverse("expert_reach"), 302)]
    assert "It was removed before." in again.content.decode()


def test_another_persons_browser_is_not_to_be_removed(eves: Client, erin: User, browser: Browser) -> None:
    kept = keep(erin, browser)
    eves.post(reverse("push_unsubscribe"), {"browser": str(kept.pk)})
    assert PushSubscription.objects.filter(pk=kept.pk).exists()


def test_the_page_lists_ones_browsers_and_marks_this_one(
    eves: Client, eve: User, erin: User, push_service: PushService
) -> None:
    assert "data-browsers hidden" in part(eve, eves)
    turn_on(eves, another(push_service))
    keep(eve, another(push_service), "Firefox on Windows")
    keep(erin, another(push_service), "Safari on Mac")
    shown = part(eve, eves)
    listed = shown[shown.index("<ul") : shown.index("</ul>")]
    assert listed.index("Chrome on Android") < listed.index("This browser") < listed.index("Firefox on Windows")
    assert listed.count("This browser") == 1
    assert "data-browsers hidden" not in shown
    assert "Safari on Mac" not in listed


def test_a_site_without_a_key_says_so_and_offers_nothing(eves: Client, eve: User, settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    shown = part(eve, eves)
    assert "Notifications are not set up on this site." in shown
    assert "push.js" not in shown
    board = eves.get(reverse("board")).content.decode()
    assert "data-push" not in board
    assert eves.get(reverse("push_subscribe")).json()["key"] == ""


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on iPhone"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_called_what_a_person_would_call_it(user_agent: str, name: str) -> None:
    assert push.device_name(user_agent) == name


def test_the_worker_is_served_at_the_root_and_never_from_a_cache(client: Client) -> None:
    answer = client.get("/service-worker.js")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert b'addEventListener("push"' in answer.content


# --- telling a person ---


def test_every_browser_of_a_person_is_told_and_no_other(eve: User, erin: User, push_service: PushService) -> None:
    desk, phone, erins = (another(push_service) for _ in range(3))
    keep(eve, desk)
    keep(eve, phone)
    keep(erin, erins)
    assert isinstance(push.push_to(eve, SHOWN), Taken)
    assert desk.next().content == phone.next().content
    assert erins.nothing_came()


def test_a_browser_that_is_gone_is_forgotten_and_the_others_are_told(eve: User, push_service: PushService) -> None:
    gone, there = another(push_service), another(push_service)
    keep(eve, gone)
    keep(eve, there)
    gone.answers = 410
    assert isinstance(push.push_to(eve, SHOWN), Taken)
    there.next()
    assert PushSubscription.objects.get().endpoint == there.endpoint


@pytest.mark.parametrize("status", [400, 403, 413])
def test_a_browser_whose_message_was_refused_is_kept(eve: User, browser: Browser, status: int) -> None:
    keep(eve, browser)
    browser.answers = status
    outcome = push.push_to(eve, SHOWN)
    assert isinstance(outcome, TurnedDown)
    assert str(status) in outcome.reason
    assert PushSubscription.objects.exists()


def test_where_one_browser_took_it_the_others_troubles_do_not_count(eve: User, push_service: PushService) -> None:
    troubled, there = another(push_service), another(push_service)
    keep(eve, troubled)
    keep(eve, there)
    troubled.answers = 500
    assert isinstance(push.push_to(eve, SHOWN), Taken)
    there.answers = 429
    with pytest.raises(NotTaken, match=r"500.*429"):
        push.push_to(eve, SHOWN)
    assert PushSubscription.objects.count() == 2


def test_who_has_no_browser_is_not_told(eve: User) -> None:
    assert isinstance(push.push_to(eve, SHOWN), TurnedDown)


def test_a_message_that_no_browser_takes_is_refused_and_one_that_was_not_taken_waits(eve: User, browser: Browser) -> None:
    words = outbox.Words(title="Alice is stuck", text="Databases", url="/", tag="request-1")
    keep(eve, browser)
    browser.answers = 503
    waiting = outbox.write(key="1", to=eve, way=Message.Way.PUSH, purpose=Message.Purpose.TEST)
    assert waiting is not None
    with pytest.raises(NotTaken):
        outbox.send(waiting, words)
    waiting.refresh_from_db()
    assert waiting.state == Message.State.WAITING
    browser.answers = 410
    assert outbox.send(waiting, words).state == Message.State.REFUSED
    assert not PushSubscription.objects.exists()


def test_nonsense_in_place_of_the_old_address_does_no_harm(eves: Client, browser: Browser) -> None:
    assert turn_on(eves, browser, replaces="\ud800")["device"]
    assert PushSubscription.objects.count() == 1


def test_nonsense_for_the_page_to_return_to_leads_to_the_settings(eves: Client) -> None:
    fields = {"browser": "00000000-0000-0000-0000-000000000000", "next": "/\ud800"}
    answer = eves.post(reverse("push_unsubscribe"), fields, content_type="application/json")
    assert answer.status_code < 500
