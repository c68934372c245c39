"""Deleting an account: the page, the sign-ins, the last mail, and what may come between."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import erasing
from accounts.mail import send_once
from accounts.models import Topic, User
from billing.models import Payment
from hopps.errors import Refused
from script.lib.processes import free_port
from sessions_app.models import State
from tests.accounts.test_reauthentication import signed_in_long_ago
from tests.jobs import JobsInMemory, jobs_in_memory
from tests.people import PASSWORD, make_active, make_request
from tests.sessions_app.files_world import client_of

pytestmark = pytest.mark.django_db

SIGN_UP = {"password1": "a-long-enough-one-7", "display_name": "Nora", "time_zone": "Europe/Vienna"}


@pytest.fixture
def jobs() -> Iterator[JobsInMemory]:
    with jobs_in_memory() as jobs:
        yield jobs


def again(person: User) -> User:
    """Return the person as the database has them now."""
    return User.objects.get(pk=person.pk)


def signed_in(person: User) -> Client:
    """Return a browser in which `person` is signed in, and typed the password once more a moment ago."""
    client = client_of(person)
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


def no_mail_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


def test_who_types_their_address_is_signed_out_everywhere_and_told_by_mail(
    alice: User, jobs: JobsInMemory, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    here, elsewhere = signed_in(alice), signed_in(alice)
    wrong = here.post("/settings/delete/", {"address": "bob@example.org"})
    assert (wrong.status_code, "Nothing was deleted" in wrong.content.decode()) == (422, True)
    with django_capture_on_commit_callbacks(execute=True):
        done = here.post("/settings/delete/", {"address": " Alice@Example.org "}, follow=True)
    assert "Your account is deleted" in done.content.decode()
    assert jobs.queue_size() == 1
    for client in (here, elsewhere):
        assert client.get("/settings/").status_code == 302
    later = Client()
    later.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    assert "_auth_user_id" not in later.session

    erasing.finish(again(alice))
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [(["alice@example.org"], "Your Hopps account is deleted")]
    gone = again(alice)
    assert (gone.display_name, gone.email) == ("Deleted person", f"erased-{alice.pk}@erased.invalid")
    # The address is free for whoever comes next, the same person among them.
    assert Client().post("/accounts/signup/", {**SIGN_UP, "email": "alice@example.org"}).status_code == 302
    assert User.objects.filter(email="alice@example.org").exists()


def test_nobody_deletes_or_takes_data_who_has_not_shown_lately_who_they_are(alice: User) -> None:
    client = signed_in_long_ago(alice)
    for address in ("/settings/delete/", "/settings/data/json/", "/settings/data/csv/"):
        assert client.get(address)["Location"].startswith("/accounts/reauthenticate/")
    assert client.post("/settings/delete/", {"address": alice.email}).status_code == 302
    assert again(alice).erased_at is None


def test_the_page_says_what_must_be_settled_first(alice: User, topic: Topic) -> None:
    make_request(alice, topic)
    answer = signed_in(alice).post("/settings/delete/", {"address": alice.email})
    assert (answer.status_code, "“Query is slow” is still open" in answer.content.decode()) == (409, True)
    assert again(alice).erased_at is None


def test_a_request_that_came_between_is_called_off_and_its_hold_released(alice: User, topic: Topic) -> None:
    # Sent from another tab at that very moment.
    session = make_request(alice, topic)
    erase_without_looking(alice)
    session.refresh_from_db()
    assert session.state == State.CANCELLED
    assert Payment.objects.get(reference=session.pk).state == Payment.State.RELEASED


def test_a_session_that_came_between_is_ended(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    erase_without_looking(alice)
    session.refresh_from_db()
    assert session.state == State.ENDED


def erase_without_looking(user: User) -> None:
    """Leave the row as `erase` does, which saw nothing in the way a moment ago, and finish."""
    User.objects.filter(pk=user.pk).update(
        erased_at=timezone.now(), is_active=False, email=f"erasing-{user.pk}@erased.invalid"
    )
    erasing.finish(again(user))


def test_what_a_mail_server_keeps_from_being_finished_the_sweep_does_once(alice: User, settings: Settings) -> None:
    working = settings.EMAIL_BACKEND
    erasing.erase(user=alice)
    no_mail_server(settings)
    with pytest.raises(OSError, match="refused"):
        erasing.finish(again(alice))
    settings.EMAIL_BACKEND = working
    now = timezone.now()
    erasing.heal_erasures(now)
    assert mail.outbox == []  # younger than a minute: somebody is at it
    erasing.heal_erasures(now + timedelta(minutes=2))
    assert [sent.to for sent in mail.outbox] == [["alice@example.org"]]
    assert not EmailAddress.objects.filter(user=alice).exists()
    erasing.heal_erasures(now + timedelta(minutes=2))
    erasing.finish(again(alice))
    assert len(mail.outbox) == 1


def test_an_address_goes_after_a_day_without_the_mail(alice: User, settings: Settings) -> None:
    erasing.erase(user=alice)
    User.objects.filter(pk=alice.pk).update(erased_at=timezone.now() - timedelta(hours=25))
    no_mail_server(settings)
    erasing.heal_erasures(timezone.now())
    assert not EmailAddress.objects.filter(user=alice).exists()


def test_nobody_who_deleted_the_account_is_mailed(alice: User) -> None:
    erasing.erase(user=alice)
    assert not send_once(key="later", to=again(alice), subject="News", text="…")
    assert mail.outbox == []


def test_deleting_twice_is_refused_the_second_time(alice: User) -> None:
    erasing.erase(user=alice)
    with pytest.raises(Refused, match="already"):
        erasing.erase(user=alice)


def test_an_operator_stays_until_another_one_takes_that_away(olga: User) -> None:
    with pytest.raises(Refused, match="You are an operator"):
        erasing.erase(user=olga)
    assert again(olga).erased_at is None


def test_an_operator_deletes_for_whoever_asked_by_mail(alice: User, bob: User, topic: Topic) -> None:
    call_command("delete_account", "Alice@example.org")
    call_command("delete_account", str(bob.pk))
    assert [again(person).display_name for person in (alice, bob)] == ["Deleted person"] * 2
    with pytest.raises(CommandError, match="There is no account"):
        call_command("delete_account", "alice@example.org")
