"""Sockets are for our own pages: whoever's cookies come along, another page's socket is refused."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from hopps.origins import is_ours
from tests.live import LiveServer
from tests.sessions_app.wire import SECONDS, Person


@pytest.fixture(scope="module")
def expert(server: LiveServer) -> Iterator[Person]:
    """The demo expert, signed in."""
    person = Person(server, "expert@demo.test")
    yield person
    person._http.close()


def answer_to(server: LiveServer, expert: Person, *origins: str) -> int:
    """Return the status a board's socket is answered with, when its page says it is from `origins`."""
    cookies = "; ".join(f"{name}={value}" for name, value in expert._http.cookies.items())
    headers = [("Cookie", cookies), *(("Origin", origin) for origin in origins[1:])]
    try:
        with connect(
            f"{server.url.replace('http', 'ws', 1)}/ws/board/",
            origin=Origin(origins[0]) if origins else None,
            additional_headers=headers,
            open_timeout=SECONDS,
            proxy=None,
        ):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_the_board_opens_for_our_own_page(server: LiveServer, expert: Person) -> None:
    assert answer_to(server, expert, server.url) == 101


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example", "http://evil.example@127.0.0.1:{port}", "http://127.0.0.1:99999999",
        "http://[", "file://", "127.0.0.1:{port}",
    ],
)  # fmt: skip
def test_the_board_is_refused_to_any_other_page(server: LiveServer, expert: Person, origin: str) -> None:
    assert answer_to(server, expert, origin.format(port=server.port)) == 403


def test_the_board_is_refused_to_what_does_not_say_where_it_is_from_or_says_it_twice(
    server: LiveServer, expert: Person
) -> None:
    assert answer_to(server, expert) == 403
    # Twice is against the protocol, which is looked at first.
    assert answer_to(server, expert, server.url, "http://evil.example") == 400
    assert not is_ours(origins=[server.url, "http://evil.example"], hosts=[server.url.removeprefix("http://")])


def test_in_production_only_https_is_ours_and_what_the_settings_name(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    settings.PUBLIC_URL = "https://hopps.example.org"
    settings.ALLOWED_HOSTS = ["hopps.example.org", "web-blue"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.partner.example", "https://other.example:8443"]

    def ours(origin: str, host: str = "hopps.example.org") -> bool:
        return is_ours(origins=[origin], hosts=[host])

    assert ours("https://hopps.example.org")
    assert ours("https://a.partner.example")
    assert ours("https://other.example:8443")
    assert not ours("http://hopps.example.org")
    assert not ours("https://other.example")
    assert not ours("https://evilpartner.example")
    assert not ours("http://a.partner.example")
    # A name somebody else points at this machine.
    assert not ours("https://evil.example", host="evil.example")
