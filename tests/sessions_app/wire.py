"""A person at a real server without a browser: forms over HTTP, and the session's socket as their page holds it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.live import DEMO_PASSWORD, LiveServer

JSON = dict[str, Any]
SECONDS = 30.0
# How often a page gives a sign of life.
BEAT_SECONDS = 0.5


@dataclass(frozen=True)
class Door:
    """One of several server processes."""

    url: str


class Person:
    """Somebody signed in."""

    def __init__(self, server: LiveServer, email: str, *, address: str | None = None) -> None:
        """Sign in; from `address`, where the server believes us who is behind us (TRUSTED_PROXIES)."""
        self.server = server
        self._http = requests.Session()
        self._http.trust_env = False  # straight to this machine, whatever proxy the environment names
        if address is not None:
            self._http.headers["X-Forwarded-For"] = address
        self.get("/accounts/login/")
        answer = self.post("/accounts/login/", login=email, password=DEMO_PASSWORD)
        assert answer.status_code == 302, answer.text[:500]

    def get(self, path: str) -> str:
        """Open a page."""
        answer = self._http.get(self.server.url + path, timeout=SECONDS)
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, **fields: object) -> requests.Response:
        """Send a form, and follow nowhere."""
        # The grant is asked for by the page's script.
        return self._send(path, fields, accept="application/json" if path.endswith("/join/") else "text/html")

    def post_by_script(self, path: str, **fields: object) -> requests.Response:
        """Send a form as the page's JavaScript does."""
        return self._send(path, fields, accept="application/json")

    def _send(self, path: str, fields: dict[str, object], *, accept: str) -> requests.Response:
        headers = {"X-CSRFToken": self._http.cookies["csrftoken"] or "", "Accept": accept}
        return self._http.post(self.server.url + path, data=fields, headers=headers, timeout=SECONDS, allow_redirects=False)

    @contextmanager
    def open(self, session: str, server: LiveServer | Door | None = None) -> "Iterator[WirePage]":
        """Open the session's page: its socket, at another server process where one is named."""
        server = server or self.server
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        with connect(
            f"{server.url.replace('http', 'ws', 1)}/ws/sessions/{session}/",
            origin=Origin(server.url),
            additional_headers={"Cookie": cookies},
            open_timeout=SECONDS,
            proxy=None,
        ) as socket:
            yield WirePage(self, session, socket)


@dataclass
class WirePage:
    """One open page of a session."""

    person: Person
    session: str
    socket: ClientConnection
    page: str = field(default_factory=lambda: str(uuid4()))
    heard: list[JSON] = field(default_factory=list)
    """Everything it was told."""

    def say(self, **message: object) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def hear(self, *types: str, where: Callable[[JSON], bool] = lambda _: True) -> JSON:
        """Return the next event of one of `types` for which `where` holds, giving signs of life meanwhile."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                event = self._receive(BEAT_SECONDS)
            except TimeoutError:
                self.say(type="ping")
                continue
            if event["type"] in types and where(event):
                return event
        raise TimeoutError(f"No {' or '.join(types)} came.")

    def join(self) -> JSON:
        """Join the call; return what carries it."""
        answer = self.person.post(f"/sessions/{self.session}/join/")
        assert answer.status_code == 200, answer.text[:500]
        return self._enter(answer.json()["grant"])

    def come_back(self, earlier: "WirePage") -> JSON:
        """Be the page `earlier` was, on this socket; return what carries the call."""
        self.page = earlier.page
        return self._enter(None)

    def _enter(self, grant: str | None) -> JSON:
        self.say(type="join", page=self.page, grant=grant)
        carrier = self.hear("carried_by_peer", "carried_by_twilio")
        self.hear("welcome")
        self.say(type="media_flowing")
        return carrier

    def state(self) -> JSON:
        """Ask how the session stands."""
        self.say(type="sync")
        return self.hear("session_changed")

    def clock(self) -> JSON:
        """Ask what the clock says."""
        self.say(type="sync")
        return self.hear("clock")

    def talk(self, seconds: float, *, beside: "WirePage") -> None:
        """Wait until the clock has counted `seconds`, this page and the other giving signs of life."""
        while self.clock()["billable_seconds"] < seconds:
            beside.say(type="ping")
            self.rest()

    def rest(self) -> None:
        """Let a moment pass, giving a sign of life."""
        self.say(type="ping")
        until = time.monotonic() + BEAT_SECONDS / 2
        with suppress(TimeoutError):
            while (left := until - time.monotonic()) > 0:
                self._receive(left)

    def _receive(self, seconds: float) -> JSON:
        event: JSON = json.loads(self.socket.recv(timeout=seconds))
        self.heard.append(event)
        return event

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that no event tells of."""
        until = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < until, "It never came to hold."
            self.rest()

    def close(self) -> None:
        """Say goodbye, as a browser does when a page is left."""
        self.socket.close(1001)
