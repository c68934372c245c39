"""Signing in by a code, over the wire: a real server, and a real mail server that it mails the code through."""

import re
from collections.abc import Iterator

import pytest

from accounts.models import User
from tests.accounts.visitor import Visitor
from tests.conftest import StartServer
from tests.live import DEMO_PASSWORD, LiveServer
from tests.peers.mail_server import MailServer, mail_server

CUSTOMER, EXPERT, OPERATOR = "customer@demo.test", "expert@demo.test", "operator@demo.test"
ASK, CONFIRM = "/accounts/login/code/", "/accounts/login/code/confirm/"
WRONG = "AAAA-AAAA"


@pytest.fixture(scope="module")
def post_office() -> Iterator[MailServer]:
    with mail_server() as its:
        yield its


@pytest.fixture(scope="module")
def server(start_server: StartServer, post_office: MailServer) -> LiveServer:
    return start_server(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(post_office.port),
        EMAIL_USE_TLS="0",
    )


@pytest.fixture
def visitor(server: LiveServer) -> Visitor:
    return Visitor(server)


def ask_for_code(visitor: Visitor, post_office: MailServer, email: str, *, address: str = ASK) -> str:
    """Ask for a code; return it."""
    visitor.go(address)
    visitor.submit(ASK, email=email)
    mail = post_office.mails[-1]
    assert mail["To"] == email.lower()
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", mail.get_content())
    assert code is not None, mail.get_content()
    return code.group()


def test_the_right_code_lets_in_and_on_to_what_one_came_for(visitor: Visitor, post_office: MailServer) -> None:
    visitor.go("/billing/")
    visitor.go(re.findall(rf'href="({ASK}[^"]*)"', visitor.page.text)[0])

    code = ask_for_code(visitor, post_office, CUSTOMER, address=visitor.path)
    visitor.submit(CONFIRM, code=code.lower().replace("-", " "))

    assert (visitor.path, visitor.who) == ("/billing/", CUSTOMER)


def test_a_wrong_code_says_so_and_the_right_one_still_works(visitor: Visitor, post_office: MailServer) -> None:
    code = ask_for_code(visitor, post_office, CUSTOMER)

    visitor.submit(CONFIRM, code=WRONG)
    assert "Incorrect code" in visitor.text
    assert visitor.who is None
    visitor.submit(CONFIRM, code=code)

    assert visitor.who == CUSTOMER


def test_after_three_wrong_codes_the_right_one_is_worth_nothing(visitor: Visitor, post_office: MailServer) -> None:
    code = ask_for_code(visitor, post_office, EXPERT)
    for _ in range(3):
        visitor.submit(CONFIRM, code=WRONG)

    assert visitor.path == ASK
    assert "Too many" in visitor.text
    visitor.go(CONFIRM)
    assert visitor.path == ASK
    token = visitor.http.cookies["csrftoken"]
    visitor.http.post(visitor.server.url + CONFIRM, {"csrfmiddlewaretoken": token, "code": code}, timeout=30)
    assert visitor.who is None


def test_a_code_is_of_worth_in_the_browser_alone_that_asked(
    visitor: Visitor, server: LiveServer, post_office: MailServer
) -> None:
    code = ask_for_code(visitor, post_office, EXPERT)
    other = Visitor(server)
    ask_for_code(other, post_office, EXPERT)

    other.submit(CONFIRM, code=code)

    assert other.who is None


def test_a_code_asked_for_again_takes_the_place_of_the_first(visitor: Visitor, post_office: MailServer) -> None:
    first = ask_for_code(visitor, post_office, OPERATOR)
    visitor.submit(CONFIRM, action="resend")
    second = re.findall(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", post_office.mails[-1].get_content())[0]

    visitor.go(CONFIRM)
    visitor.submit(CONFIRM, code=first)
    assert visitor.who is None
    visitor.submit(CONFIRM, code=second)

    assert visitor.who == OPERATOR


def test_nobody_learns_whether_an_address_has_an_account(
    visitor: Visitor, server: LiveServer, post_office: MailServer
) -> None:
    ask_for_code(visitor, post_office, OPERATOR)
    stranger = Visitor(server)
    stranger.go(ASK)
    stranger.submit(ASK, email="nobody@example.org")

    assert stranger.text.replace("nobody@example.org", OPERATOR) == visitor.text
    assert post_office.mails[-1]["Subject"] == "No account with this address"


def test_a_suspended_person_is_told_so_once_the_code_shows_who_asks(
    visitor: Visitor, server: LiveServer, post_office: MailServer
) -> None:
    with server.rows() as its:
        User.objects.using(its).filter(email="expert2@demo.test").update(is_active=False)

    code = ask_for_code(visitor, post_office, "expert2@demo.test")
    visitor.submit(CONFIRM, code=code)

    assert (visitor.path, visitor.who) == ("/accounts/inactive/", None)


def test_operators_come_to_the_admin_by_the_page_everybody_signs_in_on(visitor: Visitor, post_office: MailServer) -> None:
    visitor.go("/admin/sessions_app/helpsession/")
    assert visitor.path.startswith("/accounts/login/?next=")

    code = ask_for_code(visitor, post_office, OPERATOR, address=visitor.path.replace("/login/", "/login/code/", 1))
    visitor.submit(CONFIRM, code=code)

    assert visitor.path == "/admin/sessions_app/helpsession/"


def test_who_is_no_operator_learns_of_no_admin(visitor: Visitor) -> None:
    visitor.sign_in(CUSTOMER, DEMO_PASSWORD)

    visitor.go("/admin/login/")

    assert visitor.page.status_code == 404
