"""A browser's way through the proxy to a server with production's settings: https, as the proxy says, and cookies kept."""

import http.client
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.urls import URLPattern, URLResolver

from tests.hopps.production import PRODUCTION
from tests.live import DEMO_PASSWORD, LiveServer

SITE = "hopps.example.org"
# Of a server that a test starts as production would.
SETTINGS = {**PRODUCTION, "EMAIL_BACKEND": "", "PUBLIC_URL": f"https://{SITE}", "ALLOWED_HOSTS": f"{SITE},127.0.0.1"}
SECONDS = 30.0
Headers = dict[str, str]


class Answer(NamedTuple):
    """What came."""

    path: str
    status: int
    headers: http.client.HTTPMessage
    text: str

    def header(self, name: str) -> str:
        """Return the value of a header that is there once; empty where it is not."""
        values = self.headers.get_all(name) or [""]
        assert len(values) == 1, f"{self.path}: {name} is there {len(values)} times"
        return values[0]


class Visitor:
    """Somebody at `server`, through the proxy: over https unless said otherwise."""

    def __init__(self, server: LiveServer, *, https: bool = True) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        self.headers = {"Host": SITE} | ({"X-Forwarded-Proto": "https"} if https else {})
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Ask for `path`; headers with _ for -."""
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._line.request(method, path, body, given)
        came = self._line.getresponse()
        text = came.read().decode(errors="replace")
        for line in came.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(path, came.status, came.headers, text)

    def sign_in(self, email: str) -> Answer:
        """Sign in by the form, and return what its being sent is answered with."""
        return self._send(self.ask("/accounts/login/"), login=email, password=DEMO_PASSWORD)

    def set_up_an_app(self) -> Answer:
        """Set up an authenticator app, without which operators see no admin, and return what that is answered with."""
        page = self.ask("/accounts/2fa/totp/activate/")
        key = re.sub(r"\s", "", page.text.split("data-key>")[1].split("<")[0])
        return self._send(page, code=format_hotp_value(hotp_value(key, next(iter(yield_hotp_counters_from_time())))))

    def _send(self, page: Answer, **fields: str) -> Answer:
        """Send the form of `page` to its own address."""
        token = next(its["value"] for its in elements(page, "input") if its["name"].startswith("csrf"))
        form = urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        kind = "application/x-www-form-urlencoded"
        answer = self.ask(page.path, "POST", form, Content_Type=kind, Origin=f"https://{SITE}")
        assert answer.status == 302, answer.text[:500]
        return answer


def elements(answer: Answer, tag: str) -> list[dict[str, str]]:
    """Return the attributes of each `tag` in a page."""
    found: list[dict[str, str]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
            if name == tag:
                found.append({key: value or "" for key, value in attributes})

    Reader().feed(answer.text)
    return [{"name": "", "type": "", **fields} for fields in found]


def scripts_of(answer: Answer) -> list[str]:
    """Return the addresses of a page's scripts, empty for one that is written in the page."""
    return [fields.get("src", "") for fields in elements(answer, "script") if fields["type"] in {"", "module"}]


def host_of(address: str) -> str:
    """Return the host an address names; empty for one of the same site."""
    return urlsplit(address).netloc


def addresses(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """Yield an address for every route below `resolver`, something in the place of each of its parts."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, before + _filled_in(pattern))
        elif isinstance(pattern, URLPattern):
            yield before + _filled_in(pattern)


SOMETHING = {
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "IntConverter": "1",
    "SlugConverter": "mail",
    "StringConverter": "x",
    "PathConverter": "1",
}


def _filled_in(pattern: URLPattern | URLResolver) -> str:
    """Return a path that `pattern` matches."""
    text = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        start = text.index("<")
        assert name in text[start : text.index(">")]
        text = text[:start] + SOMETHING[kind] + text[text.index(">") + 1 :]
    return text if "(?P" not in text and "^" not in text else "x"
