"""Files over a real server's socket: what is too large is refused early, and what is cut off leaves nothing."""

import json
import re
import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest

from tests.conftest import StartServer
from tests.live import DEMO_PASSWORD, LiveServer
from tests.peers.s3 import BUCKET, S3StandIn
from tests.sessions_app.files_world import PNG, files_in

LIMIT = 10 * 1024 * 1024
SECONDS = 60
TALKING = """
from accounts.models import Topic, User
from sessions_app import accept
from sessions_app.models import HelpSession
from django.utils import timezone
customer, expert = (User.objects.get(email=f"{name}@demo.test") for name in ("customer", "expert"))
now = timezone.now()
session = HelpSession.objects.create(
    customer=customer, expert=expert, topic=Topic.objects.first(), title="Files", state="accepted", currency="USD",
    price_per_minute=200, cap_minutes=30, requested_at=now, queued_at=now, accepted_at=now,
)
print(session.pk)
"""


class Person:
    """The demo customer's browser, one connection a request."""

    def __init__(self, server: LiveServer) -> None:
        self.place = urlsplit(server.url)
        self.cookies: dict[str, str] = {}
        self.ask("GET", "/accounts/login/")
        form = {"login": "customer@demo.test", "password": DEMO_PASSWORD, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert self.ask("POST", "/accounts/login/", urlencode(form).encode(), kind)[0] == 302

    @property
    def headers(self) -> dict[str, str]:
        """What the browser says of itself with every request."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "X-CSRFToken": self.cookies.get("csrftoken", "")}

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body of the answer. `body`: bytes, or an iterable of them, which goes out in chunks."""
        with closing(HTTPConnection(self.place.hostname or "", self.place.port, timeout=SECONDS)) as connection:
            chunked = {"encode_chunked": True} if body is not None and not isinstance(body, bytes) else {}
            more = {"Transfer-Encoding": "chunked"} if chunked else {}
            connection.request(method, path, body, self.headers | more | (headers or {}), **chunked)  # type: ignore[arg-type]
            answer = connection.getresponse()
            self._keep(answer)
            return answer.status, answer.read()

    def _keep(self, answer: HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """A server in whose one session nobody is hurried."""
    return start_server(EXPERT_JOIN_SECONDS="3600")


@pytest.fixture(scope="module")
def address(server: LiveServer) -> str:
    return start_talking(server)


def start_talking(server: LiveServer) -> str:
    """Put the two demo people into a session; return where their files go."""
    (session,) = re.findall(r"^[0-9a-f-]{36}$", server.manage("shell", "-c", TALKING), re.MULTILINE)
    return f"/sessions/{session}/files/"


@pytest.fixture(scope="module")
def person(server: LiveServer) -> Person:
    return Person(server)


def file_headers() -> dict[str, str]:
    kind = {"Content-Type": "application/octet-stream", "Accept": "application/json"}
    return {"X-File-Id": str(uuid4()), "X-File-Name": "a.txt", **kind}


def test_a_file_is_taken_and_given_back(person: Person, address: str) -> None:
    status, body = person.ask("POST", address, PNG, file_headers())
    assert status == 200
    assert person.ask("GET", json.loads(body)["file"]["address"]) == (200, PNG)


def test_a_file_needs_the_pages_own_token(person: Person, address: str) -> None:
    assert person.ask("POST", address, PNG, file_headers() | {"X-CSRFToken": "another"})[0] == 403


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(person: Person, address: str) -> None:
    with socket.create_connection((person.place.hostname, person.place.port or 0), timeout=SECONDS) as line:
        headers = person.headers | file_headers() | {"Host": person.place.netloc, "Content-Length": str(LIMIT + 1)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"POST {address} HTTP/1.1\r\n{head}\r\n".encode())
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == 413
        assert "larger than 10 MB" in json.loads(answer.read())["error"]


def test_a_body_that_does_not_say_how_large_it_is_is_counted(person: Person, address: str) -> None:
    piece = b"x" * (1024 * 1024)
    exactly = [piece] * 10
    assert person.ask("POST", address, iter(exactly), file_headers())[0] == 200
    status, body = person.ask("POST", address, iter([*exactly, b"x"]), file_headers())
    assert status == 413
    assert "larger than 10 MB" in json.loads(body)["error"]


def test_elsewhere_no_body_may_be_nearly_as_large(person: Person) -> None:
    status, body = person.ask("POST", "/ask/", b"x" * (2 * 1024 * 1024 + 512 * 1024 + 1))
    assert status == 413
    assert b"larger than 2.5 MB" in body


def test_a_body_cut_off_half_way_leaves_nothing(server: LiveServer, person: Person, address: str) -> None:
    before = len(files_in(server.folder / "uploads"))
    cut = file_headers()
    with socket.create_connection((person.place.hostname, person.place.port or 0), timeout=SECONDS) as line:
        headers = person.headers | cut | {"Host": person.place.netloc, "Content-Length": str(LIMIT)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"POST {address} HTTP/1.1\r\n{head}\r\n".encode() + b"x" * (LIMIT // 2))
    # Once the same id went through, whatever became of the cut one is over.
    assert person.ask("POST", address, b"whole", cut)[0] == 200
    assert len(files_in(server.folder / "uploads")) == before + 1
    assert person.ask("GET", f"{address}{cut['X-File-Id']}/") == (200, b"whole")


def test_where_the_settings_name_a_bucket_files_go_there(start_server: StartServer, tmp_path: Path) -> None:
    bucket = S3StandIn(tmp_path)
    try:
        bucket.reset()
        server = start_server(EXPERT_JOIN_SECONDS="3600", UPLOADS_S3_BUCKET=BUCKET, **bucket.environment)
        person = Person(server)
        status, body = person.ask("POST", start_talking(server), PNG, file_headers())
        assert status == 200
        assert list(bucket.objects().values()) == [PNG]
        assert person.ask("GET", json.loads(body)["file"]["address"]) == (200, PNG)
        assert files_in(server.folder / "uploads") == []
    finally:
        bucket.stop()
