"""Guessing passwords, codes and addresses is slow; the owner of an account is not locked out by it."""

import re
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.sign_in.guessing import KNOWN_COOKIE
from tests.people import PASSWORD

# Of Django's test client.
Answer = Any

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
LOGIN, SIGN_UP, RESET = "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"


def sign_in(email: str, password: str = PASSWORD, *, address: str = HERE, client: Client | None = None) -> Answer:
    return (client or Client()).post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address)


def guess(email: str, *, times: int, address: str = HERE) -> list[int]:
    return [sign_in(email, "wrong", address=address).status_code for _ in range(times)]


def wait_of(answer: Answer) -> int:
    """Return for how many seconds it says not to come again, as a header and on the page."""
    assert answer.status_code == 429
    assert re.search(r"Try again in \d+ (second|minute|hour)s?", answer.content.decode())
    return int(answer["Retry-After"])


def test_the_sixth_wrong_password_is_one_too_many_for_five_minutes(alice: User) -> None:
    with time_machine.travel("2026-01-01T12:00Z", tick=False) as clock:
        assert 429 not in guess(alice.email, times=5)

        # The right one would be a guess like any other.
        seconds = wait_of(sign_in(alice.email))

        assert seconds == 5 * 60
        clock.shift(seconds + 1)
        assert sign_in(alice.email).status_code == 302


def test_nobody_elsewhere_is_locked_out_by_it(alice: User, bob: User) -> None:
    assert guess(alice.email, times=6)[-1] == 429

    assert sign_in(alice.email, address=ELSEWHERE).status_code == 302
    assert sign_in(bob.email).status_code == 302


def test_whether_there_is_an_account_makes_no_difference(alice: User) -> None:
    assert guess("nobody@example.org", times=6) == guess(alice.email, times=6)


def test_passwords_that_are_right_are_not_counted(alice: User) -> None:
    assert [sign_in(alice.email).status_code for _ in range(8)] == [302] * 8
    assert 429 not in guess(alice.email, times=5)


@pytest.fixture
def six_from_anywhere(settings: Settings) -> None:
    """Six wrong passwords for one account from everywhere together: the real fifty take the tests too long."""
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed_anywhere": "6/h/key"}


@pytest.mark.usefixtures("six_from_anywhere")
def test_a_crowd_is_slow_too_and_the_browser_its_owner_is_known_in_is_let_in(alice: User) -> None:
    known = Client()
    assert sign_in(alice.email, client=known).status_code == 302
    known.post("/accounts/logout/")

    tried = [guess(alice.email, times=1, address=f"192.0.2.{number}")[0] == 429 for number in range(7)]

    assert tried == [False] * 6 + [True]
    assert wait_of(sign_in(alice.email, address=ELSEWHERE)) > 60
    assert sign_in(alice.email, address=ELSEWHERE, client=known).status_code == 302


@pytest.mark.usefixtures("six_from_anywhere")
def test_the_cookie_of_another_account_or_a_made_up_one_helps_nobody(alice: User, bob: User) -> None:
    bobs = Client()
    assert sign_in(bob.email, client=bobs).status_code == 302
    bobs.post("/accounts/logout/")
    made_up = Client()
    made_up.cookies[KNOWN_COOKIE] = "WyJ4Il0:1vQ:xyz"
    for number in range(6):
        guess(alice.email, times=1, address=f"192.0.2.{number}")

    for client in (bobs, made_up):
        assert sign_in(alice.email, address=ELSEWHERE, client=client).status_code == 429


def test_strangers_who_ask_for_codes_leave_the_owner_theirs(alice: User) -> None:
    known = Client()
    assert sign_in(alice.email, client=known).status_code == 302

    def ask(cookie: str) -> bool:
        before, client = len(mail.outbox), Client()
        client.cookies[KNOWN_COOKIE] = cookie
        client.post("/accounts/login/code/", {"email": alice.email}, REMOTE_ADDR=ELSEWHERE)
        return len(mail.outbox) > before

    assert [ask("") for _ in range(4)] == [True] * 3 + [False]
    assert [ask(known.cookies[KNOWN_COOKIE].value) for _ in range(4)] == [True] * 3 + [False]


def sign_up(number: int, *, address: str = HERE) -> Answer:
    form = {"email": f"n{number}@example.org", "password1": "a-long-enough-one-7", "display_name": "N", "time_zone": "UTC"}
    return Client().post(SIGN_UP, form, REMOTE_ADDR=address)


def test_few_sign_up_from_one_address_in_a_minute() -> None:
    assert [sign_up(number).status_code for number in range(10)] == [302] * 10

    assert 1 <= wait_of(sign_up(10)) <= 60
    assert not User.objects.filter(email="n10@example.org").exists()
    assert sign_up(11, address=ELSEWHERE).status_code == 302


def test_an_address_of_ipv6_is_all_that_one_line_has() -> None:
    assert [sign_up(number, address=f"2001:db8::{number:x}").status_code for number in range(10)] == [302] * 10

    assert sign_up(10, address="2001:db8::ffff").status_code == 429
    assert sign_up(11, address="2001:db8:0:1::1").status_code == 302


def test_nobodys_mailbox_is_filled_with_ways_to_a_new_password(alice: User) -> None:
    answers = [Client().post(RESET, {"email": alice.email}, REMOTE_ADDR=f"203.0.113.{number}") for number in range(6)]

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert wait_of(answers[-1]) > 60
    assert len(mail.outbox) == 5
    # It is the same where there is no such account.
    others = [Client().post(RESET, {"email": "no@example.org"}, REMOTE_ADDR=f"203.0.113.{number}") for number in range(6)]
    assert [answer.status_code for answer in others] == [302] * 5 + [429]


def test_who_is_signed_in_does_not_guess_the_password_either(client: Client, alice: User) -> None:
    client.force_login(alice)
    answers = [client.post("/accounts/reauthenticate/", {"password": "wrong"}) for _ in range(6)]

    assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True]
    assert wait_of(answers[-1]) > 60


def test_everything_allauth_can_limit_is_limited(settings: Settings) -> None:
    from allauth.account import app_settings as account
    from allauth.mfa import app_settings as mfa

    assert set(account.RATE_LIMITS) == set(settings.ACCOUNT_RATE_LIMITS)
    assert set(mfa.RATE_LIMITS) == set(settings.MFA_RATE_LIMITS)
    assert all([*settings.ACCOUNT_RATE_LIMITS.values(), *settings.MFA_RATE_LIMITS.values()])
