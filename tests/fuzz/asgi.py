"""One request, through everything a request goes through, in this process: so that what it writes can be watched."""

import asyncio
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from accounts.models import User
from hopps.asgi import application

TOKEN = "a" * 32
_CLOSES_CONNECTIONS = (request_started, request_finished)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Browser:
    """Signed in as one person, or as nobody."""

    def __init__(self, person: User | None) -> None:
        client = Client()
        if person is not None:
            client.force_login(person)
        cookies = {name: morsel.value for name, morsel in client.cookies.items()} | {"csrftoken": TOKEN}
        self._cookie = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()

    def send(self, method: str, path: str, *, body: bytes = b"", kind: str = "", query: bytes = b"") -> Answer:
        """Return the answer; `kind` is the body's Content-Type."""
        headers = [
            (b"host", b"localhost"), (b"cookie", self._cookie), (b"x-csrftoken", TOKEN.encode()),
            (b"origin", b"http://localhost"),
            (b"content-length", str(len(body)).encode()),
        ]  # fmt: skip
        if kind:
            headers.append((b"content-type", kind.encode("latin-1")))
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query, "headers": headers,
            "server": ("localhost", 80), "client": ("127.0.0.1", 50000),
        }  # fmt: skip
        # As Django's own test client does: the connection is this test's, in the middle of what is taken back.
        for signal in _CLOSES_CONNECTIONS:
            signal.disconnect(close_old_connections)
        try:
            answer: Answer = async_to_sync(self._ask)(scope, body)
        finally:
            for signal in _CLOSES_CONNECTIONS:
                signal.connect(close_old_connections)
        return answer

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Answer:
        sent: list[dict[str, Any]] = []
        came = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not came.is_set():
                came.set()
                return {"type": "http.request", "body": body, "more_body": False}
            # Whoever asked stays until there is an answer.
            await asyncio.Event().wait()
            raise AssertionError("nothing more comes")

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        # Not by asgiref's communicator: it hides this thread from the application, which would use another connection.
        await application(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))
