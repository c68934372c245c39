"""Errors of a real server, as they arrive at who speaks Sentry's protocol: an envelope of JSON lines."""

import gzip
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import brotli
import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from hopps import sentry
from tests.conftest import StartServer

SECONDS = 30


@pytest.fixture
def sentry_peer() -> Iterator[tuple[str, "queue.Queue[dict[str, Any]]"]]:
    """The DSN of a listener, and the events that arrive there."""
    events: queue.Queue[dict[str, Any]] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            open_ = {"br": brotli.decompress, "gzip": gzip.decompress}.get(self.headers["Content-Encoding"], bytes)
            lines = [json.loads(line) for line in open_(body).splitlines() if line]
            # The envelope's header, then a header and a payload for each item.
            for header, payload in zip(lines[1::2], lines[2::2], strict=True):
                if header["type"] == "event":
                    events.put(payload)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://public@127.0.0.1:{server.server_port}/1", events
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_error_arrives_with_its_request_and_its_release_and_names_nobody(
    start_server: StartServer, tmp_path: Path, sentry_peer: tuple[str, "queue.Queue[dict[str, Any]]"]
) -> None:
    dsn, events = sentry_peer
    # Without its tables every page fails, as where the database is away.
    database = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    server = start_server(
        demo=False, DATABASE_URL=database, JOBS_IN_WEB_PROCESS="0", SENTRY_DSN=dsn, HOPPS_RELEASE="0123abc"
    )

    answer = requests.get(
        f"{server.url}/?mail=cleo@example.org",
        headers={"Authorization": "Bearer abc-123-def", "Cookie": "sessionid=mine-alone"},
        timeout=SECONDS,
        proxies={"http": ""},
    )

    event = events.get(timeout=SECONDS)
    assert answer.status_code == 503
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    assert event["release"] == "0123abc"
    assert event["tags"]["request"] == answer.headers["X-Request-ID"]
    sent = json.dumps(event)
    for secret in ("cleo@example.org", "abc-123-def", "mine-alone", '"vars"'):
        assert secret not in sent


def test_what_is_sent_carries_no_secret_wherever_it_stands() -> None:
    event = {
        "logentry": {"message": "to %s", "params": ["cleo@example.org"]},
        "request": {"cookies": {"sessionid": "mine-alone"}},
        "user": {"email": "cleo@example.org", "ip_address": "192.0.2.7"},
        "exception": {"values": [{"value": "+41791234567 is taken"}]},
    }

    assert sentry.scrubbed(event, {}) == {
        "logentry": {"message": "to %s", "params": ["(mail address)"]},
        "user": {},
        "tags": {},
        "exception": {"values": [{"value": "(phone number) is taken"}]},
    }


def test_without_an_address_its_library_is_not_even_imported(start_server: StartServer) -> None:
    assert "False" in start_server(demo=False).manage("shell", "-c", "import sys; print('sentry_sdk' in sys.modules)")


def test_a_wrong_address_is_said_at_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN"):
        sentry.start("https://example.org", release="a", environment="b")
