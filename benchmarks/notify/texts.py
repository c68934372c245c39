"""The sender that texts are handed to: a server that speaks Twilio's Messages API and notes when each text comes in."""

import json
import threading
import time
from urllib.parse import parse_qs
from uuid import uuid4

from tests.peers.faults import Answer, Asked, FaultyServer

PATIENCE_SECONDS = 30.0


class Lost(Exception):
    """The texts of a request did not come in PATIENCE_SECONDS."""


class Texts(FaultyServer):
    """The sender."""

    def __init__(self) -> None:
        """Listen at once."""
        self._came: list[tuple[float, str]] = []
        self._news = threading.Condition()
        super().__init__()

    @property
    def environment(self) -> dict[str, str]:
        """What makes a Hopps process text by it."""
        return {
            "SMS": "twilio",
            "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
            "TWILIO_AUTH_TOKEN": "token-of-the-bench",
            "TWILIO_FROM": "+15005550006",
            "TWILIO_API_BASE": self.url,
        }

    def answer(self, asked: Asked) -> Answer:
        """Note the moment, and take the text."""
        now = time.perf_counter()
        with self._news:
            self._came.append((now, parse_qs(asked.body)["Body"][0]))
            self._news.notify_all()
        return Answer(201, json.dumps({"sid": f"SM{uuid4().hex}", "status": "queued"}).encode())

    def about(self, session: str, number: int) -> list[float]:
        """Wait for `number` texts about a session and return when they came, as time.perf_counter() says. Raises Lost."""

        def found() -> list[float]:
            return [moment for moment, text in self._came if session in text]

        with self._news:
            if not self._news.wait_for(lambda: len(found()) >= number, PATIENCE_SECONDS):
                raise Lost(f"{len(found())} of {number} texts about {session} came in {PATIENCE_SECONDS:.0f} s.")
            return sorted(found())
