"""A page at the other end of the board's or the session's socket, as the tests of both open it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import User
from hopps.asgi import application
from sessions_app.models import HelpSession


class Page:
    """One open page's socket."""

    def __init__(
        self, address: str, person: User | None, origin: str = "http://localhost", browser: Client | None = None
    ) -> None:
        """Describe it; `browser` is where `person` is signed in already, None: one of its own."""
        headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
        if person is not None:
            client = browser or Client()
            if browser is None:
                client.force_login(person)
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        self.socket = WebsocketCommunicator(application, address, headers=headers)
        self.page = uuid4()

    async def open(self) -> bool:
        connected, _ = await self.socket.connect(timeout=10)
        return bool(connected)

    async def hear(self, *types: str) -> dict[str, Any]:
        """Return the next event of one of `types`, passing over others."""
        while True:
            event: dict[str, Any] = json.loads(await self.socket.receive_from(timeout=10))
            if event["type"] in types:
                return event

    async def say(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message, default=str))

    async def join(self, grant: str | None) -> dict[str, Any]:
        await self.say(type="join", page=self.page, grant=grant)
        return await self.hear("welcome", "error")

    async def close(self) -> None:
        await self.socket.disconnect(code=1001, timeout=10)


def board(person: User | None, browser: Client | None = None) -> Page:
    return Page("/ws/board/", person, browser=browser)


def page_of(session: HelpSession, person: User | None, browser: Client | None = None) -> Page:
    return Page(f"/ws/sessions/{session.pk}/", person, browser=browser)


def run(journey: Callable[[], Awaitable[None]]) -> None:
    async_to_sync(journey)()


async def admitted(page: Page) -> bool:
    connected = await page.open()
    if connected:
        await page.close()
    return connected


async def until_closed(page: Page) -> int:
    """Return the code the server closes `page` with."""
    while (output := await page.socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    code: int = output["code"]
    return code
