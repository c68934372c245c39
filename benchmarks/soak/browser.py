"""A person at one web process: forms and pages over HTTP, as their browser sends them."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from benchmarks.soak.record import Record

CSRF = "c" * 32
ANSWER_SECONDS = 30.0


class Unexpected(Exception):
    """The server did not do what was asked; the message holds its answer."""


class Web:
    """The web processes, and one connection pool to all of them."""

    def __init__(self, addresses: list[str], record: Record) -> None:
        """Connect when first asked. `addresses` are the processes' own; what they answer is counted in `record`."""
        self.addresses = addresses
        self._record = record
        self._session = ClientSession(
            connector=TCPConnector(limit=0), timeout=ClientTimeout(total=ANSWER_SECONDS), cookie_jar=DummyCookieJar()
        )

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()

    async def send(
        self, process: int, cookie: str, method: str, path: str, fields: Mapping[str, object] | None = None, *, to_json: bool
    ) -> tuple[int, str, str]:
        """Send a request; return its status, where it leads to, and its body."""
        headers = {"Cookie": f"sessionid={cookie}; csrftoken={CSRF}", "X-CSRFToken": CSRF}
        if to_json:
            headers["Accept"] = "application/json"
        data = {name: str(value) for name, value in (fields or {}).items()} if method == "POST" else None
        url = self.addresses[process] + path
        async with self._session.request(method, url, data=data, headers=headers, allow_redirects=False) as answer:
            body = await answer.text()
            self._record.answers[answer.status] = self._record.answers.get(answer.status, 0) + 1
            return answer.status, answer.headers.get("Location", ""), body


class Browser:
    """One signed-in person's."""

    def __init__(self, web: Web, cookie: str, process: int) -> None:
        self.web = web
        self.cookie = cookie
        self.process = process

    async def get(self, path: str) -> str:
        """Return a page. Raises Unexpected when there is none."""
        status, _, body = await self.web.send(self.process, self.cookie, "GET", path, to_json=False)
        if status != 200:
            raise Unexpected(f"GET {path} answered {status}: {body[:300]}")
        return body

    async def post(self, path: str, fields: Mapping[str, object] | None = None, *, to_json: bool = False) -> str:
        """Send a form; return where it leads to, or with `to_json` the answer. Raises Unexpected when it was refused."""
        wanted = 200 if to_json else 302
        status, leads_to, body = await self.web.send(self.process, self.cookie, "POST", path, fields, to_json=to_json)
        if status != wanted:
            raise Unexpected(f"POST {path} answered {status} {leads_to}: {body[:300]}")
        return body if to_json else leads_to

    def socket_headers(self) -> dict[str, Any]:
        """Return what this browser's websockets are opened with."""
        return {"Origin": self.web.addresses[self.process], "Cookie": f"sessionid={self.cookie}"}

    def socket_address(self, path: str) -> str:
        """Return where its websocket `path` is."""
        return self.web.addresses[self.process].replace("http", "ws", 1) + path
