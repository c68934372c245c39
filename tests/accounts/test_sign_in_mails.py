"""Mails that somebody waits for, where the mail server does not take them."""

import pytest
from django.core import mail
from django.test import Client
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.adapter import MAIL_IS_LATE
from accounts.models import User
from tests.accounts.test_erasing import no_mail_server

pytestmark = pytest.mark.django_db(transaction=True)

SIGN_UP = {"password1": "a-long-enough-one-7", "display_name": "Nora", "time_zone": "Europe/Vienna"}


@pytest.mark.parametrize(
    ("page", "form"),
    [("/accounts/password/reset/", {}), ("/accounts/login/code/", {}), ("/accounts/signup/", SIGN_UP)],
    ids=["new password", "code", "sign-up"],
)
def test_a_mail_comes_late_and_the_page_tells_nobody_who_has_an_account(
    alice: User, settings: Settings, page: str, form: dict[str, str]
) -> None:
    no_mail_server(settings)
    HUEY.flush()
    answers = set()
    for address in (alice.email, "nobody@example.org"):
        browser = Client()
        answer = browser.post(page, {**form, "email": address})
        shown = browser.get(answer["Location"]).content.decode()
        answers.add((answer.status_code, answer["Location"], shown.count(MAIL_IS_LATE)))
    assert {(status, told) for status, _, told in answers} == {(302, 1)}
    assert len(answers) == 1

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    while job := HUEY.dequeue():
        HUEY.execute(job)
    assert [message.to for message in mail.outbox] == [[alice.email], ["nobody@example.org"]]
