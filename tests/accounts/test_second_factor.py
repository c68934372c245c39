"""The second step of signing in: setting it up, passing it, and each code once."""

import json
import re
import threading
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import User
from accounts.sign_in import second_factor
from script.lib.processes import HOST, free_port
from tests.codes import STEP_SECONDS, code_of
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db

SET_UP = "/accounts/2fa/totp/activate/"
CODES = re.compile(r"<code>(\d{8})</code>")


def set_up(person: User) -> tuple[str, list[str]]:
    """Set an app up on the page; return its key and the recovery codes shown."""
    browser = Client()
    browser.force_login(person)
    key = re.search(r"data-key>([A-Z2-7 ]+)<", browser.get(SET_UP).content.decode())
    assert key is not None
    secret = key.group(1).replace(" ", "")
    answer = browser.post(SET_UP, {"code": code_of(secret)}, follow=True)
    return secret, CODES.findall(answer.content.decode())


def with_password(person: User) -> Client:
    """Return a browser in which the password was typed."""
    browser = Client()
    browser.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/sessions/").status_code == 200


def passes(person: User, code: str) -> bool:
    """Return whether the password and then `code` sign `person` in."""
    browser = with_password(person)
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    return is_in(browser)


def test_the_password_alone_lets_nobody_in_who_set_an_app_up(alice: User) -> None:
    secret, _ = set_up(alice)
    browser = with_password(alice)
    assert not is_in(browser)
    assert browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret, step=7)}).status_code == 200
    assert not is_in(browser)
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret, step=1)})
    assert is_in(browser)


def test_a_code_passes_once(alice: User) -> None:
    secret, _ = set_up(alice)
    setting_up, after = code_of(secret), code_of(secret, step=1)
    assert not passes(alice, setting_up)
    assert passes(alice, f"{after[:3]} {after[3:]}")
    assert not passes(alice, after)


def test_a_phone_whose_clock_is_half_a_minute_off_does_and_one_further_off_does_not(alice: User) -> None:
    secret, _ = set_up(alice)
    before = after = -1.0
    while before != after or before < 0:  # not across the end of a half minute
        before = time.time() // STEP_SECONDS
        codes = [code_of(secret, step=step) for step in range(-2, 3)]
        good = [second_factor.matching_step(secret=secret, code=code) is not None for code in codes]
        after = time.time() // STEP_SECONDS
    assert good == [False, True, True, True, False]


def test_an_older_code_does_not_pass_after_a_newer_one(alice: User) -> None:
    secret, _ = set_up(alice)
    now = int(time.time()) // STEP_SECONDS
    factor = Authenticator.objects.get(user=alice, type="totp")
    Authenticator.objects.filter(pk=factor.pk).update(data={**factor.data, "last_step": now + 1})
    assert second_factor.use_code(user=alice, code=code_of(secret)) is None


def test_ten_recovery_codes_are_shown_once_and_each_lets_in_once(alice: User) -> None:
    _, codes = set_up(alice)
    assert len(set(codes)) == 10
    assert passes(alice, codes[3])
    assert not passes(alice, codes[3])
    assert second_factor.recovery_codes_left(alice) == 9
    browser = Client()
    browser.force_login(alice)
    shown_again = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    assert not any(code in shown_again for code in codes)
    assert browser.get("/accounts/2fa/recovery-codes/download/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_new_recovery_codes_end_the_old_ones_and_are_mailed_about(alice: User) -> None:
    _, old = set_up(alice)
    browser = Client()
    browser.force_login(alice)
    new = CODES.findall(browser.post("/accounts/2fa/recovery-codes/generate/", follow=True).content.decode())
    assert len(new) == 10
    assert not passes(alice, old[0])
    assert passes(alice, new[0])
    assert "recovery codes" in mail.outbox[-1].subject
    assert not any(code in str(mail.outbox[-1].body) for code in new)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_two_who_use_a_code_at_once_one_gets_in(alice: User, kind: str) -> None:
    secret, codes = set_up(alice)
    code = code_of(secret, step=1) if kind == "app" else codes[0]
    together = threading.Barrier(4)
    got_in: list[bool] = []

    def use() -> None:
        try:
            together.wait(timeout=30)
            got_in.append(second_factor.use_code(user=alice, code=code) is not None)
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got_in) == [False, False, False, True]


def test_a_new_password_by_mail_asks_for_the_second_step_too(alice: User) -> None:
    secret, _ = set_up(alice)
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": alice.email})
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    form = browser.get(link.group(1), follow=True)
    answer = browser.post(form.request["PATH_INFO"], {"password1": "another-good-1", "password2": "another-good-1"})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(browser)
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret, step=1)})
    assert is_in(browser)


@pytest.mark.django_db(transaction=True)
def test_setting_up_and_turning_off_is_mailed_with_the_browser_in_words(alice: User) -> None:
    set_up(alice)
    browser = Client(headers={"user-agent": "Mozilla/5.0 (Macintosh) Chrome/140 Safari/537"})
    browser.force_login(alice)
    browser.post("/accounts/2fa/totp/deactivate/")
    subjects = [message.subject for message in mail.outbox]
    assert subjects == ["An authenticator app was set up", "Your authenticator app was turned off"]
    assert "With: Chrome on Mac" in str(mail.outbox[1].body)
    assert not second_factor.has_second_factor(alice)
    assert not Authenticator.objects.filter(user=alice).exists()  # recovery codes go with the last of them


def test_what_is_stored_gives_no_code_away(alice: User) -> None:
    secret, codes = set_up(alice)
    kept = json.dumps(list(Authenticator.objects.filter(user=alice).values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept for code in codes)


def test_a_new_secret_key_reads_what_the_one_before_sealed(alice: User, settings: Settings) -> None:
    secret, codes = set_up(alice)
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, [before]
    assert second_factor.use_code(user=alice, code=code_of(secret, step=1)) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert second_factor.use_code(user=alice, code=codes[0]) is None
    browser = Client()
    browser.force_login(alice)
    assert browser.get("/accounts/sign-in/").status_code == 200


NONSENSE = [
    "[]", "1", '"x"', "{}", "nonsense", '{"response": []}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA",'
    '"authenticatorData":"AA","signature":"AA","userHandle":"AA"},"clientExtensionResults":{}}',
]  # fmt: skip


def _sign_in(person: User) -> tuple[Client, str]:
    return Client(), "/accounts/2fa/webauthn/login/"


def _second_step(person: User) -> tuple[Client, str]:
    set_up(person)
    return with_password(person), "/accounts/2fa/authenticate/"


def _add(person: User) -> tuple[Client, str]:
    browser = Client()
    browser.force_login(person)
    return browser, "/accounts/2fa/webauthn/add/"


@pytest.mark.parametrize("place", [_sign_in, _second_step, _add])
def test_nonsense_in_place_of_a_passkey_is_answered_in_a_sentence(
    alice: User, place: Callable[[User], tuple[Client, str]]
) -> None:
    browser, address = place(alice)
    for credential in NONSENSE:
        browser.get(address, headers={"accept": "application/json"})
        answer = browser.post(address, {"credential": credential}, follow=True)
        assert answer.status_code == 200, credential
        assert not Authenticator.objects.filter(type="webauthn").exists()
    if place is not _add:
        assert not is_in(browser)


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_breaks_nothing_and_gets_the_notice_later(alice: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = HOST, free_port(), False
    HUEY.flush()
    _, codes = set_up(alice)
    assert len(codes) == 10
    [job] = HUEY.pending()
    assert job.args[:2] == (alice.email, "An authenticator app was set up")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    HUEY.execute(HUEY.dequeue())
    assert [(message.to, message.subject) for message in mail.outbox] == [([alice.email], job.args[1])]
