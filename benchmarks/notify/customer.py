"""A customer who asks over HTTP, as the form does."""

import time
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

from script.lib.processes import HOST

CSRF = "b" * 32
ANSWER_SECONDS = 30.0


class Refused(Exception):
    """The server did not do what was asked; the message holds its answer."""


class Customer:
    """A signed-in customer with a saved card, on a connection that is open already."""

    def __init__(self, port: int, *, cookie: str, card: str) -> None:
        """Connect. `cookie`: a session's key; `card`: a card's id."""
        self._card = card
        self._headers = {
            "Cookie": f"sessionid={cookie}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection = HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
        self._connection.connect()

    def ask(self, topic: str) -> tuple[str, float, float]:
        """Make a request; return the session's id, and when it was sent and answered, as time.perf_counter() says."""
        words = {"topic": topic, "title": "Query is slow", "details": "It was fast.", "cap_minutes": 30, "card": self._card}
        sent = time.perf_counter()
        answer = self._post("/ask/", words)
        answered = time.perf_counter()
        return answer.headers["Location"].strip("/").split("/")[-1], sent, answered

    def cancel(self, session: str) -> None:
        """Call the request off, and hang up."""
        self._post(f"/sessions/{session}/cancel/", {})
        self._connection.close()

    def _post(self, path: str, fields: dict[str, object]) -> HTTPResponse:
        self._connection.request("POST", path, urlencode(fields), self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 302 or "/sessions/" not in answer.headers["Location"]:
            raise Refused(f"{path} answered {answer.status} {answer.headers.get('Location')}: {body[:2000].decode()}")
        return answer
