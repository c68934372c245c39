"""The stack's Caddy before real processes of Hopps: pages, sockets, and the switch from one to the other."""

import base64
import hashlib
import http.client
import http.server
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from script.lib.processes import HOST, free_port
from script.lib.redis_server import RedisServer
from tests.conftest import StartServer
from tests.live import DEMO_PASSWORD, LiveServer
from tests.peers.caddy import Caddy

SECONDS = 30.0
Answer = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caddy]:
    """Caddy, which nobody stands behind yet."""
    caddy = Caddy(tmp_path_factory.mktemp("caddy"))
    yield caddy
    caddy.stop()


@pytest.fixture(scope="module")
def blue(start_server: StartServer, caddy: Caddy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The process that serves; Caddy sends people to it."""
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    blue = start_server(HOPPS_RELEASE="one", REDIS_URL=redis.url, SECRET_KEY="of-both", **caddy.settings)
    caddy.start(blue.port)
    yield blue
    blue.stop()
    redis.stop()


@pytest.fixture(scope="module")
def green(start_server: StartServer, blue: LiveServer, caddy: Caddy) -> LiveServer:
    """The next release, beside it."""
    return start_server(
        beside=blue, HOPPS_RELEASE="two", SECRET_KEY="of-both", REDIS_URL=blue.environment["REDIS_URL"], **caddy.settings
    )


@pytest.fixture
def serving_blue(caddy: Caddy, blue: LiveServer) -> LiveServer:
    """The process that serves, whatever the test before switched to."""
    caddy.switch(blue.port)
    return blue


def ask(caddy: Caddy, path: str, **headers: str) -> Answer:
    """Return status, headers and body of what Caddy answers, on a connection of its own."""
    connection = http.client.HTTPSConnection("localhost", caddy.port, timeout=SECONDS, context=caddy.trust())
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def release(caddy: Caddy) -> str:
    """Return the release that answers."""
    found: str = json.loads(ask(caddy, "/healthz")[2])["release"]
    return found


@contextmanager
def board(caddy: Caddy) -> Iterator[ClientConnection]:
    """The socket of the demo expert's board."""
    session = requests.Session()
    session.trust_env = False
    trust = str(caddy.authority)
    session.get(f"{caddy.url}/accounts/login/", timeout=SECONDS, verify=trust)
    form = {"login": "expert@demo.test", "password": DEMO_PASSWORD, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    headers = {"Referer": caddy.url, "Origin": caddy.url}
    answer = session.post(
        f"{caddy.url}/accounts/login/", form, headers=headers, timeout=SECONDS, verify=trust, allow_redirects=False
    )
    assert answer.status_code == 302, answer.text[:500]
    cookies = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    with connect(
        f"{caddy.url.replace('http', 'ws', 1)}/ws/board/",
        origin=Origin(caddy.url),
        additional_headers={"Cookie": cookies},
        ssl=caddy.trust(),
        open_timeout=SECONDS,
        proxy=None,
    ) as socket:
        yield socket


def answers(socket: ClientConnection) -> bool:
    """Does the socket's process answer what a page asks when it may have missed something?"""
    socket.send(json.dumps({"type": "sync"}))
    return bool(json.loads(socket.recv(timeout=SECONDS))["type"])


def test_a_page_comes_over_tls(caddy: Caddy, serving_blue: LiveServer) -> None:
    status, headers, body = ask(caddy, "/")

    assert status == 200
    assert b"Hopps" in body
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_whoever_comes_without_tls_is_sent_to_it(caddy: Caddy, serving_blue: LiveServer) -> None:
    connection = http.client.HTTPConnection("localhost", caddy.http_port, timeout=SECONDS)
    connection.request("GET", "/ask/")
    answer = connection.getresponse()

    assert answer.status == 308
    assert answer.headers["Location"].startswith("https://localhost")
    connection.close()


def test_a_switch_leaves_open_sockets_where_they_are_and_sends_new_ones_to_the_new_release(
    caddy: Caddy, serving_blue: LiveServer, green: LiveServer
) -> None:
    with board(caddy) as old:
        assert answers(old)

        caddy.switch(green.port)

        assert release(caddy) == "two"
        assert answers(old)
        with board(caddy) as new:
            # The old release ends, and tells its pages to go elsewhere by the line that is still there.
            ending = threading.Thread(target=serving_blue.stop)
            ending.start()
            while json.loads(old.recv(timeout=SECONDS))["type"] != "go_elsewhere":
                pass
            old.close()
            ending.join()
            assert answers(new)
    serving_blue.start_again()


def test_nobody_who_comes_while_releases_are_switched_is_turned_away(
    caddy: Caddy, serving_blue: LiveServer, green: LiveServer
) -> None:
    done = threading.Event()
    answered: SimpleQueue[tuple[int, str]] = SimpleQueue()

    def visit() -> None:
        while not done.is_set():
            status, _, body = ask(caddy, "/healthz")
            answered.put((status, json.loads(body)["release"]))

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    seen = set()
    for _ in range(3):
        for server, name in ((green, "two"), (serving_blue, "one")):
            caddy.switch(server.port)
            while (answer := answered.get(timeout=SECONDS)) != (200, name):
                seen.add(answer)
    done.set()
    for visitor in visitors:
        visitor.join()

    assert seen <= {(200, "one"), (200, "two")}


def test_a_process_that_is_started_again_is_waited_for(caddy: Caddy, serving_blue: LiveServer) -> None:
    serving_blue.kill()
    found: list[Answer] = []
    visitor = threading.Thread(target=lambda: found.append(ask(caddy, "/healthz")))
    visitor.start()

    serving_blue.start_again()
    visitor.join()

    assert [status for status, _, _ in found] == [200]


def test_a_page_that_is_open_still_finds_the_files_of_its_release(caddy: Caddy, serving_blue: LiveServer) -> None:
    (caddy.static / "room.0a1b2c.js").write_text("the one before")

    status, headers, body = ask(caddy, "/static/room.0a1b2c.js")

    assert (status, body) == (200, b"the one before")
    assert headers["Content-Type"].startswith("text/javascript")
    assert careful(headers)
    assert ask(caddy, "/static/never-was.js")[0] == 404


def test_the_files_of_the_release_that_serves_come_from_itself(caddy: Caddy, serving_blue: LiveServer) -> None:
    path = "/static/" + ask(caddy, "/")[2].decode().split("/static/", 1)[1].split('"', 1)[0]

    status, headers, _ = ask(caddy, path)

    assert status == 200
    assert "immutable" in headers["Cache-Control"]


def test_script_deploy_sees_through_its_door_what_people_get(caddy: Caddy, serving_blue: LiveServer) -> None:
    with urllib.request.urlopen(f"{caddy.door}/healthz", timeout=SECONDS) as answer:
        assert json.load(answer) == {"ok": True, "release": "one"}


class Echo(http.server.BaseHTTPRequestHandler):
    """Says what came."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(self.headers)).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_what_a_visitor_claims_about_itself_is_not_passed_on(caddy: Caddy, serving_blue: LiveServer) -> None:
    with http.server.ThreadingHTTPServer((HOST, 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        caddy.switch(echo.server_address[1])
        claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.test"}

        came = json.loads(ask(caddy, "/", **claims)[2])

        assert came["X-Forwarded-For"] == HOST
        assert came["X-Forwarded-Proto"] == "https"
        assert came["X-Forwarded-Host"] == f"localhost:{caddy.port}"
        echo.shutdown()


def test_with_nobody_there_people_read_that_it_is_back_in_a_moment(tmp_path: Path) -> None:
    caddy = Caddy(tmp_path / "caddy", patience="100ms")
    caddy.start(free_port())
    try:
        status, headers, body = ask(caddy, "/sessions/")
    finally:
        caddy.stop()

    assert status == 502
    assert b"back in a moment" in body
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("5", "no-store")
    assert careful(headers)
    # Its few lines of style are the ones the policy lets through.
    style = re.search(r"<style>(.*?)</style>", body.decode(), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in headers["Content-Security-Policy"]


def careful(headers: http.client.HTTPMessage) -> bool:
    """Does an answer of Caddy's own tell browsers what those of Hopps do?"""
    policies = headers.get_all("Content-Security-Policy") or []
    return (
        len(policies) == 1
        and policies[0].startswith("default-src 'none'; ")
        and policies[0].endswith("frame-ancestors 'none'")
        and headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["X-Frame-Options"] == "DENY"
        and headers["Cross-Origin-Resource-Policy"] == "same-origin"
        and headers["Server"] is None
    )
