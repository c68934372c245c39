"""Signing up, and what one says about oneself."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db

FORM = {
    "email": "Nora@Example.org",
    "password1": "a-long-enough-one-7",
    "display_name": "Nora",
    "time_zone": "Europe/Vienna",
}


def sign_up(client: Client, **changes: str) -> int:
    return client.post("/accounts/signup/", {**FORM, **changes}).status_code


def test_a_person_signs_up_with_a_code_by_mail(client: Client) -> None:
    assert sign_up(client) == 302
    nora = User.objects.get()
    assert (nora.email, nora.display_name, nora.time_zone) == ("nora@example.org", "Nora", "Europe/Vienna")
    assert "_auth_user_id" not in client.session
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", str(mail.outbox[0].body))
    assert code is not None
    client.post("/accounts/confirm-email/", {"code": code.group()})
    assert client.session["_auth_user_id"] == str(nora.pk)


def test_a_wrong_code_lets_nobody_in(client: Client) -> None:
    sign_up(client)
    client.post("/accounts/confirm-email/", {"code": "AAAA-AAAA"})
    assert "_auth_user_id" not in client.session


def test_an_unknown_time_zone_is_utc_and_no_obstacle(client: Client) -> None:
    sign_up(client, time_zone="Middle/Earth")
    assert User.objects.get().time_zone == "UTC"


def test_a_name_is_needed(client: Client) -> None:
    answer = client.post("/accounts/signup/", {**FORM, "display_name": " "})
    assert answer.context["form"].errors["display_name"]
    assert not User.objects.exists()


def test_somebody_elses_email_makes_no_second_account_and_tells_nothing(client: Client, alice: User) -> None:
    assert sign_up(client, email="ALICE@example.org") == 302
    assert User.objects.count() == 1


def test_times_are_shown_in_the_persons_own_zone(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post("/settings/", {"display_name": "Alice", "time_zone": "Asia/Tokyo"}).status_code == 302
    alice.refresh_from_db()
    assert alice.time_zone == "Asia/Tokyo"
    answer = client.post("/settings/", {"display_name": "", "time_zone": "Middle/Earth"})
    assert set(answer.context["form"].errors) == {"display_name", "time_zone"}


def test_a_person_nobody_may_use_any_more_is_out_at_once(client: Client, alice: User) -> None:
    client.force_login(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get("/sessions/").status_code == 302
