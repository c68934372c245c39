"""Changing one's mail address: proven by a code, and the old one is told."""

import re
import threading
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import mail_address
from accounts.models import User
from hopps.errors import Refused
from tests.jobs import JobsInMemory, jobs_in_memory
from tests.peers.mail_server import MailServer, mail_server
from tests.people import PASSWORD, make_person
from tests.sessions_app.files_world import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def mails(settings: Settings) -> Iterator[MailServer]:
    """A mail server that this process uses."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        yield server


@pytest.fixture
def jobs() -> Iterator[JobsInMemory]:
    with jobs_in_memory() as jobs:
        yield jobs


def ask_for(client: Client, address: str) -> None:
    """Type a new address into the settings' page."""
    assert client.post("/accounts/email/", {"action_add": "", "email": address}).status_code == 302


def code_in(mails: MailServer) -> tuple[str, str]:
    """Return to whom the last mail went, and the code in it."""
    found = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", mails.mails[-1].get_content())
    assert found is not None
    return str(mails.mails[-1]["To"]), found.group()


def addresses_of(user: User) -> tuple[str, list[tuple[str, bool, bool]]]:
    user.refresh_from_db()
    return user.email, list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary"))


@pytest.mark.django_db(transaction=True)
def test_a_new_address_counts_once_its_code_is_typed_and_the_old_one_is_told(
    alice: User, mails: MailServer, jobs: JobsInMemory
) -> None:
    client = client_of(alice)
    ask_for(client, "Alice@New.Example")
    to, code = code_in(mails)
    assert to == "alice@new.example"
    assert addresses_of(alice) == ("alice@example.org", [("alice@example.org", True, True)])

    assert client.post("/accounts/confirm-email/", {"code": "AAAA-AAAA"}).status_code == 200
    assert alice.email == "alice@example.org"

    assert client.post("/accounts/confirm-email/", {"code": code}).status_code == 302
    assert addresses_of(alice) == ("alice@new.example", [("alice@new.example", True, True)])
    jobs.do_what_is_due()
    told = mails.mails[-1]
    assert told["To"] == "alice@example.org"
    assert "from alice@example.org to alice@new.example" in told.get_content()

    new, old = Client(), Client()
    new.post("/accounts/login/", {"login": "alice@new.example", "password": PASSWORD})
    old.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    assert new.session.get("_auth_user_id") == str(alice.pk)
    assert "_auth_user_id" not in old.session


def test_an_address_of_somebody_else_looks_like_any_other_until_its_code_is_typed(
    alice: User, bob: User, mails: MailServer
) -> None:
    taken, free = client_of(alice), client_of(alice)
    ask_for(free, "nobody@example.org")
    ask_for(taken, "bob@example.org")
    pages = [client.get("/accounts/confirm-email/").content.decode() for client in (free, taken)]
    plain = [
        re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page).replace(address, "(address)")
        for page, address in zip(pages, ("nobody@example.org", "bob@example.org"), strict=True)
    ]
    assert plain[0] == plain[1]
    # Who reads the mail of bob@example.org is Bob, and may know.
    _, code = code_in(mails)
    assert "already registered" in taken.post("/accounts/confirm-email/", {"code": code}).content.decode()
    assert addresses_of(alice) == ("alice@example.org", [("alice@example.org", True, True)])
    assert addresses_of(bob) == ("bob@example.org", [("bob@example.org", True, True)])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_prove_one_address_at_once_one_has_it_and_the_other_keeps_the_old_one(alice: User, bob: User) -> None:
    both, refused = threading.Barrier(2), []

    def prove(user: User) -> None:
        both.wait()
        try:
            mail_address.confirm(user=user, address="shared@example.org")
        except Refused as refusal:
            refused.append((user, refusal.sentence))
        connection.close()

    threads = [threading.Thread(target=prove, args=(user,)) for user in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((loser, sentence),) = refused
    winner = bob if loser == alice else alice
    assert sentence == mail_address.TAKEN.format(address="shared@example.org")
    assert addresses_of(winner) == ("shared@example.org", [("shared@example.org", True, True)])
    own = f"{loser.display_name.lower()}@example.org"
    assert addresses_of(loser) == (own, [(own, True, True)])


def test_an_address_somebody_is_just_signing_up_with_is_taken(alice: User) -> None:
    # Their row of allauth's is not written yet.
    User.objects.create_user("nora@example.org", PASSWORD, display_name="Nora")
    with pytest.raises(Refused):
        mail_address.confirm(user=alice, address="nora@example.org")
    assert addresses_of(alice) == ("alice@example.org", [("alice@example.org", True, True)])


def test_an_address_changed_twice_is_the_last_one(db: None) -> None:
    nora = make_person("nora@example.org", "Nora")
    mail_address.confirm(user=nora, address="first@example.org")
    mail_address.confirm(user=nora, address="second@example.org")
    assert addresses_of(nora) == ("second@example.org", [("second@example.org", True, True)])


@pytest.mark.django_db(transaction=True)
def test_an_address_that_an_owner_gives_somebody_ends_the_old_one_and_counts_once_it_is_proven(
    alice: User, olga: User, mails: MailServer, jobs: JobsInMemory
) -> None:
    form = {"email": "Alice@New.example.org", "display_name": "Alice", "time_zone": "UTC"}
    client_of(olga).post(f"/admin/accounts/user/{alice.pk}/change/", form)
    assert addresses_of(alice) == ("alice@new.example.org", [("alice@new.example.org", False, True)])
    jobs.do_what_is_due()
    assert [str(mail["To"]) for mail in mails.mails] == ["alice@example.org"]

    Client().post("/accounts/password/reset/", {"email": "alice@example.org"})
    assert "/accounts/password/reset/key/" not in mails.mails[-1].get_content()
    browser = Client()
    browser.post("/accounts/login/", {"login": "alice@new.example.org", "password": PASSWORD})
    to, code = code_in(mails)
    assert to == "alice@new.example.org"
    browser.post("/accounts/confirm-email/", {"code": code})
    assert browser.get("/sessions/").status_code == 200
    assert addresses_of(alice) == ("alice@new.example.org", [("alice@new.example.org", True, True)])
