"""A person who signs in over the wire, form by form, as a browser would: at Hopps and at the providers."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

from tests.live import LiveServer

PASSWORD = "a-long-enough-one-7"
# Where the way to each provider begins.
PROVIDERS = {
    "Google": "/accounts/google/login/",
    "Globex": "/accounts/amazon-cognito/login/",
    "Acme": "/accounts/oidc/acme/login/",
}


@dataclass
class Form:
    """A form of a page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(its.get("action", "")))
        elif tag == "input" and self.forms and its.get("name"):
            self.forms[-1].fields[its["name"]] = its.get("value", "")


class Visitor:
    """One browser: its cookies, and the page it is on."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.http = requests.Session()
        self.http.trust_env = False
        # Programs are led away by a redirect, people by a page in between (hopps/departures.py).
        self.http.headers["Accept"] = "text/html"
        self.page: requests.Response

    @property
    def text(self) -> str:
        """What the page says, its tags left out."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.page.text)).split())

    @property
    def path(self) -> str:
        """Where at Hopps the browser is, with what stands after the question mark."""
        assert self.page.url.startswith(self.server.url), f"elsewhere: {self.page.url}"
        return self.page.url.removeprefix(self.server.url)

    @property
    def who(self) -> str | None:
        """The address the person is signed in with; None for nobody."""
        answer = self.http.get(f"{self.server.url}/accounts/email/", allow_redirects=False, timeout=30)
        found = re.search(r"<strong>([^<@]+@[^<]+)</strong>", answer.text)
        return found[1] if found else None

    def go(self, address: str) -> None:
        """Open a page."""
        self._arrive(self.http.get(urljoin(f"{self.server.url}/", address), timeout=30))

    def submit(self, part_of_action: str, **fields: Any) -> None:
        """Send the page's form whose action has this in it."""
        form = next(form for form in _Page(self.page.text).forms if part_of_action in form.action)
        self._arrive(
            self.http.post(urljoin(self.page.url, form.action or self.page.url), data=form.fields | fields, timeout=30)
        )

    def _arrive(self, page: requests.Response) -> None:
        self.page = page
        if leaves := re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)"', page.text):
            self.page = self.http.get(unescape(leaves[1]), timeout=30)

    # --- Providers ---

    def leave_for(self, provider: str, *, from_page: str = "/accounts/login/") -> None:
        """Press "Continue with …" on one of our pages: the browser is then at the provider."""
        self.go(from_page)
        assert f"with {provider}" in self.text or f"Connect {provider}" in self.text
        self.submit(PROVIDERS[provider], time_zone="Europe/Vienna")

    def say_who(self, login: str) -> None:
        """Sign in at the provider and let it tell us: the browser is then back."""
        while not self.page.url.startswith(self.server.url):
            # One of the two asks twice, for who it is and for consent, unless it knows the browser.
            self.submit("", sub=login, login=login, password="any", action="authorize")

    def cancel(self) -> None:
        """Change one's mind at the provider."""
        if abort := re.search(r'href="([^"]+/abort)"', self.page.text):
            self.go(abort[1])
        else:
            self.submit("", action="deny")

    def continue_with(self, provider: str, login: str, *, from_page: str = "/accounts/login/") -> None:
        """Go to the provider, sign in there, and come back."""
        self.leave_for(provider, from_page=from_page)
        self.say_who(login)

    # --- Ourselves ---

    def sign_in(self, email: str, password: str) -> None:
        """Sign in by the password."""
        self.go("/accounts/login/")
        self.submit("/accounts/login/", login=email, password=password)

    def sign_up(self, email: str) -> None:
        """Make an account by a password; a code comes by mail."""
        self.go("/accounts/signup/")
        self.submit("/accounts/signup/", email=email, password1=PASSWORD, display_name="Somebody", time_zone="UTC")
