"""Signing in by real providers, over the wire: Google and a company's (oidc-provider-mock), Cognito (oidc-provider)."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from accounts.models import User
from script.lib.processes import HOST, free_port
from tests.accounts.visitor import PASSWORD, PROVIDERS, Visitor
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.faults import Answer, Asked, FaultyServer
from tests.peers.sign_in_providers import CLIENT, SECRET, SignInProviders

# What people typed before they signed in.
WORDS = {"title": "Deploy fails with exit code 137", "details": "Only on Tuesdays.", "cap_minutes": "30"}
each_provider = pytest.mark.parametrize("provider", PROVIDERS)
NewPerson = Callable[..., str]
_numbers = count(1)


class BrokenProvider(FaultyServer):
    """A provider that people reach and that tells us nothing of use."""

    def answer(self, asked: Asked) -> Answer:
        known = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
        }
        return Answer(200, json.dumps(known).encode())


@pytest.fixture(scope="module")
def broken() -> Iterator[BrokenProvider]:
    its = BrokenProvider()
    yield its
    its.stop()


@pytest.fixture(scope="module")
def server(start_server: StartServer, sign_in_providers: SignInProviders, broken: BrokenProvider) -> LiveServer:
    """All three, one that is away, and one that is broken."""
    others = {"AWAY": f"http://{HOST}:{free_port()}", "BROKEN": broken.url}
    settings = {f"OIDC_{name}_SERVER_URL": url for name, url in others.items()}
    settings |= {f"OIDC_{name}_CLIENT_ID": f"{CLIENT}-{name}" for name in others}
    settings |= {f"OIDC_{name}_CLIENT_SECRET": SECRET for name in others}
    return start_server(**{**sign_in_providers.environment, **settings, "OIDC_PROVIDERS": "acme,away,broken"})


@pytest.fixture
def visitor(server: LiveServer) -> Visitor:
    return Visitor(server)


@pytest.fixture
def new_person(sign_in_providers: SignInProviders) -> NewPerson:
    """Make somebody the providers know; return the login, which is the name before the @ of the address."""

    def make(**claims: object) -> str:
        login = f"nora{next(_numbers)}"
        about = {"email": f"{login}@example.org", "email_verified": True, "given_name": "Nora", "family_name": "New"}
        sign_in_providers.knows(login, **{**about, **claims})
        return login

    return make


def signed_up(server: LiveServer, email: str) -> User | None:
    with server.rows() as its:
        return User.objects.using(its).filter(email=email).first()


def connected(server: LiveServer, email: str) -> list[tuple[str, str]]:
    """Return provider and id there of what opens the account with this address."""
    with server.rows() as its:
        return list(SocialAccount.objects.using(its).filter(user__email=email).values_list("provider", "uid"))


def have_account(server: LiveServer, login: str) -> str:
    """Make the person who has this login at providers an account here by a password; return the address."""
    email = f"{login}@example.org"
    with server.rows() as its:
        # As the server stores passwords; this process's are quicker, and worth nothing there.
        password = PBKDF2PasswordHasher().encode(PASSWORD, salt="salt", iterations=1000)
        user = User.objects.using(its).create(email=email, display_name="Nora Here", password=password)
        EmailAddress.objects.using(its).create(user=user, email=email, verified=True, primary=True)
    return email


def code_mailed_to(server: LiveServer, email: str) -> str:
    mail = next(mail for mail in reversed(server.mails()) if mail["To"] == email)
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", mail.get_content())
    assert code is not None, mail.get_content()
    return code.group()


@each_provider
def test_a_new_person_has_an_account_at_once_and_only_what_it_needs(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    login = new_person(phone_number="+436641234567", picture="https://example.org/nora.png")

    visitor.continue_with(provider, login)

    assert visitor.who == f"{login}@example.org"
    nora = signed_up(server, f"{login}@example.org")
    assert nora is not None
    assert (nora.display_name, nora.time_zone, nora.has_usable_password()) == ("Nora New", "Europe/Vienna", False)
    with server.rows() as its:
        account = SocialAccount.objects.using(its).get(user=nora)
        assert (account.uid, account.extra_data) == (login, {"email": f"{login}@example.org"})
        assert not SocialToken.objects.using(its).exists()


@each_provider
def test_who_was_here_before_is_let_in_again(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    login = new_person()
    visitor.continue_with(provider, login)

    later = Visitor(server)
    later.continue_with(provider, login)

    assert later.who == f"{login}@example.org"
    with server.rows() as its:
        assert User.objects.using(its).filter(email__startswith=login).count() == 1


@each_provider
def test_an_address_that_has_an_account_here_is_let_in_only_after_signing_in_to_it_once(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    email = have_account(server, login := new_person())

    visitor.continue_with(provider, login)

    assert visitor.who is None
    assert f"You have an account with {email} already." in visitor.text
    assert connected(server, email) == []
    visitor.submit("/accounts/login/", login=email, password=PASSWORD)
    assert visitor.who == email
    assert [uid for _, uid in connected(server, email)] == [login]
    later = Visitor(server)
    later.continue_with(provider, login)
    assert later.who == email


def test_a_code_by_mail_connects_as_well_as_a_password(visitor: Visitor, new_person: NewPerson, server: LiveServer) -> None:
    email = have_account(server, login := new_person())
    visitor.continue_with("Google", login)

    visitor.go("/accounts/login/code/")
    visitor.submit("/accounts/login/code/", email=email)
    visitor.submit("/accounts/login/code/confirm/", code=code_mailed_to(server, email))

    assert visitor.who == email
    assert connected(server, email) == [("google", login)]


def test_whoever_signs_in_as_somebody_else_connects_nothing(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    email, other = have_account(server, login := new_person()), have_account(server, new_person())
    visitor.continue_with("Google", login)

    visitor.submit("/accounts/login/", login=other, password=PASSWORD)

    assert visitor.who == other
    assert (connected(server, email), connected(server, other)) == ([], [])


@each_provider
def test_an_address_the_provider_has_not_checked_takes_over_nothing_and_tells_nothing(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    email = have_account(server, login := new_person(email_verified=False))

    visitor.continue_with(provider, login)

    # What a stranger sees who has no account here: a code is asked for, and the address alone gets to know.
    assert visitor.text.count("Check your mail")
    assert visitor.who is None
    assert connected(server, email) == []
    assert server.mails()[-1]["Subject"] == "You have a Hopps account already"
    unknown = new_person(email_verified=False)
    stranger = Visitor(server)
    stranger.continue_with(provider, unknown)
    assert stranger.text.replace(unknown, login) == visitor.text


@each_provider
def test_an_address_the_provider_has_not_checked_is_checked_by_a_code(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    email = f"{(login := new_person(email_verified=False))}@example.org"
    visitor.continue_with(provider, login)
    assert visitor.who is None

    visitor.submit("/accounts/confirm-email/", code=code_mailed_to(server, email))

    assert visitor.who == email
    assert [uid for _, uid in connected(server, email)] == [login]


def test_nobody_waits_in_an_account_made_with_anothers_address(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    email = f"{(theirs := new_person(email_verified=False))}@example.org"
    visitor.continue_with("Acme", theirs)
    assert signed_up(server, email) is not None

    owner = Visitor(server)
    owner.go("/accounts/login/code/")
    owner.submit("/accounts/login/code/", email=email)
    owner.submit("/accounts/login/code/confirm/", code=code_mailed_to(server, email))

    assert owner.who == email
    assert connected(server, email) == []
    again = Visitor(server)
    again.continue_with("Acme", theirs)
    assert again.who is None


def test_nobody_keeps_a_password_to_an_account_made_with_anothers_address(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    email = f"{(login := new_person())}@example.org"
    visitor.sign_up(email)

    owner = Visitor(server)
    owner.continue_with("Google", login)
    owner.go("/accounts/login/code/")
    owner.submit("/accounts/login/code/", email=email)
    owner.submit("/accounts/login/code/confirm/", code=code_mailed_to(server, email))

    assert owner.who == email
    later = Visitor(server)
    later.sign_in(email, PASSWORD)
    assert later.who is None
    assert connected(server, email) == [("google", login)]


@each_provider
def test_who_changes_their_mind_at_the_provider_keeps_what_they_came_for(visitor: Visitor, provider: str) -> None:
    visitor.leave_for(provider, from_page="/accounts/login/?next=/ask/")

    visitor.cancel()

    assert "You changed your mind" in visitor.text
    assert visitor.who is None
    visitor.go(re.findall(r'href="(/accounts/login/\?next=[^"]+)"', visitor.page.text)[0])
    assert visitor.path == "/accounts/login/?next=%2Fask%2F"


@each_provider
def test_a_state_that_is_not_this_browsers_lets_nobody_in(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    login = new_person()
    visitor.leave_for(provider)
    state = parse_qs(urlsplit(visitor.page.url).query).get("state", ["made-up"])[0]
    callback = f"{PROVIDERS[provider]}callback/?code=abc&state="

    other = Visitor(server)
    for wrong in (state, state[::-1], ""):
        other.go(callback + quote(wrong))

        assert (other.page.status_code, other.who) == (401, None)
        assert "That did not work" in other.text
    assert signed_up(server, f"{login}@example.org") is None


@each_provider
def test_a_code_that_the_provider_never_gave_is_answered_by_a_sentence(visitor: Visitor, provider: str) -> None:
    visitor.go("/accounts/login/")
    form = visitor.http.post(
        visitor.server.url + PROVIDERS[provider],
        {"csrfmiddlewaretoken": visitor.http.cookies["csrftoken"]},
        timeout=30,
    )
    state = re.findall(r"state=(\w+)", form.text)[0]

    visitor.go(f"{PROVIDERS[provider]}callback/?code=made-up&state={state}")

    assert (visitor.page.status_code, visitor.who) == (401, None)
    assert "could not tell us who you are" in visitor.text


def test_a_provider_that_is_away_is_a_sentence_and_no_error_of_ours(visitor: Visitor) -> None:
    visitor.go("/accounts/login/")

    visitor.submit("/accounts/oidc/away/login/")

    assert visitor.page.status_code == 502
    assert "could not tell us who you are" in visitor.text


@pytest.mark.parametrize(
    "says", ["", "{}", "[]", "nonsense", '{"access_token": 1}', '{"access_token": "a", "id_token": "b"}']
)
def test_a_provider_that_talks_nonsense_is_a_sentence_too(visitor: Visitor, broken: BrokenProvider, says: str) -> None:
    visitor.go("/accounts/login/")
    form = visitor.http.post(
        f"{visitor.server.url}/accounts/oidc/broken/login/",
        {"csrfmiddlewaretoken": visitor.http.cookies["csrftoken"]},
        timeout=30,
    )
    state = re.findall(r"state=(\w+)", form.text)[0]
    broken.fail("/token", 200, says.encode())

    visitor.go(f"/accounts/oidc/broken/login/callback/?code=any&state={state}")

    assert visitor.page.status_code in {401, 502}
    assert "could not tell us who you are" in visitor.text


@each_provider
def test_a_suspended_person_is_told_so_and_not_let_in(
    visitor: Visitor, new_person: NewPerson, server: LiveServer, provider: str
) -> None:
    email = f"{(login := new_person())}@example.org"
    visitor.continue_with(provider, login)
    with server.rows() as its:
        User.objects.using(its).filter(email=email).update(is_active=False)

    later = Visitor(server)
    later.continue_with(provider, login)

    assert (later.path, later.who) == ("/accounts/inactive/", None)
    assert "This account is closed" in later.text


@each_provider
def test_the_words_of_a_request_survive_the_trip(visitor: Visitor, new_person: NewPerson, provider: str) -> None:
    visitor.go("/")
    topic = re.findall(r'<option value="([0-9a-f-]{36})"', visitor.page.text)[0]
    visitor.submit("/ask/", topic=topic, **WORDS)
    assert visitor.path == "/accounts/signup/?next=%2Fask%2F"

    visitor.continue_with(provider, new_person(), from_page=visitor.path)

    assert visitor.path == "/ask/"
    assert WORDS["title"] in visitor.page.text
    assert WORDS["details"] in visitor.page.text


def test_no_way_leads_to_another_site(visitor: Visitor, new_person: NewPerson) -> None:
    visitor.continue_with("Google", new_person(), from_page="/accounts/login/?next=https://elsewhere.example.org/")

    assert visitor.path == "/"


def test_who_comes_without_a_name_is_asked_for_it(visitor: Visitor, new_person: NewPerson, server: LiveServer) -> None:
    login = new_person(given_name="", family_name=" ")
    visitor.continue_with("Google", login, from_page="/accounts/login/?next=/billing/")
    assert "Almost there" in visitor.text

    visitor.submit("/accounts/3rdparty/signup/", display_name="Nora")

    assert (visitor.path, visitor.who) == ("/billing/", f"{login}@example.org")
    nora = signed_up(server, f"{login}@example.org")
    assert nora is not None
    assert (nora.display_name, nora.time_zone) == ("Nora", "Europe/Vienna")


def test_a_name_that_is_too_long_or_cannot_be_shown_is_no_obstacle(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    login = new_person(given_name="No\x07ra\n  \u202eN", family_name="x" * 200)

    visitor.continue_with("Google", login)

    nora = signed_up(server, f"{login}@example.org")
    assert nora is not None
    assert nora.display_name == ("NoraN " + "x" * 200)[:80] or nora.display_name == ("Nora N " + "x" * 200)[:80]


def test_a_provider_is_connected_and_removed_in_the_settings_but_not_where_it_is_the_last_way_in(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    email = f"{(login := new_person())}@example.org"
    visitor.continue_with("Google", login)
    visitor.continue_with("Acme", login, from_page="/accounts/3rdparty/")
    assert connected(server, email) == [("google", login), ("acme", login)]

    visitor.submit("/accounts/3rdparty/")
    assert connected(server, email) == [("acme", login)]
    visitor.submit("/accounts/3rdparty/")

    assert connected(server, email) == [("acme", login)]
    assert "Set a password first" in visitor.text


def test_an_account_at_a_provider_opens_one_account_here(
    visitor: Visitor, new_person: NewPerson, server: LiveServer
) -> None:
    first, second = new_person(), new_person()
    visitor.continue_with("Acme", first)
    other = Visitor(server)
    other.continue_with("Google", second)

    other.continue_with("Acme", first, from_page="/accounts/3rdparty/")

    assert "connected with another person here" in other.text
    assert connected(server, f"{second}@example.org") == [("google", second)]


@pytest.mark.parametrize(
    "path", ["/accounts/oidc/nobody/login/", "/accounts/oidc/nobody/login/callback/", "/accounts/google/login/token/"]
)
def test_what_is_not_switched_on_is_not_there(visitor: Visitor, path: str) -> None:
    visitor.go(path)

    assert visitor.page.status_code == 404
