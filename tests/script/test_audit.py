"""Whether weaknesses are known is asked for real: pip-audit and npm ask a service that speaks OSV's and npm's protocols."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from script.lib.audit import KNOWN, NOBODY_ASKED, NONE_KNOWN
from script.lib.locks import pins
from tests.live import ROOT


class Services(ThreadingHTTPServer):
    """OSV's /v1/query and npm's advisories, which know of the weaknesses put into `weak`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.weak: set[str] = set()
        self.asked: dict[str, str] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Services

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        answer = self._of_osv(asked) if self.path == "/v1/query" else self._of_npm(asked)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def _of_osv(self, asked: dict[str, Any]) -> dict[str, Any]:
        name, version = asked["package"]["name"], asked["version"]
        self.server.asked[name] = version
        if name not in self.server.weak:
            return {}
        package = {"name": name, "ecosystem": "PyPI"}
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
        affected = [{"package": package, "ranges": ranges, "versions": [version]}]
        return {"vulns": [{"id": "PYSEC-2026-1", "details": "It is weak.", "aliases": [], "affected": affected}]}

    def _of_npm(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        self.server.asked |= {name: versions[0] for name, versions in asked.items()}
        weakness = {"id": 1, "url": "https://example.org/GHSA-1", "title": "It is weak", "severity": "high"}
        more = {"vulnerable_versions": "<99.0.0", "cwe": [], "cvss": {"score": 9, "vectorString": None}}
        return {name: [weakness | more] for name in asked if name in self.server.weak}

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def services() -> Iterator[Services]:
    server = Services()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def audit(url: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it, with both services at `url`."""
    where = {"AUDIT_OSV_URL": f"{url}/v1/query", "npm_config_registry": url, "npm_config_fetch_retries": "0"}
    return subprocess.run(
        [sys.executable, "-m", "script.lib.audit"],
        cwd=ROOT,
        env=os.environ | where | {"NO_PROXY": "127.0.0.1", "AUDIT_REQUIRED": ""} | environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_everything_that_is_locked_is_asked_about(services: Services) -> None:
    done = audit(services.url)

    assert (done.returncode, done.stdout) == (NONE_KNOWN, "No weaknesses are known.\n"), done.stderr
    locked = pins((ROOT / "requirements.lock").read_text())
    # What is for another system is locked, and not asked about here.
    assert {name: locked[name] for name in ("django", "http-ece", "urllib3")}.items() <= services.asked.items()
    assert {"twilio-video", "axe-core", "typescript"} <= set(services.asked)


@pytest.mark.parametrize(
    ("package", "line"), [("urllib3", "PYSEC-2026-1, mended in 99.0"), ("twilio-video", "twilio-video: It is weak (high)")]
)
def test_a_known_weakness_fails_and_is_named(services: Services, package: str, line: str) -> None:
    services.weak = {package}

    done = audit(services.url)

    assert done.returncode == KNOWN
    assert line in done.stderr
    assert package in done.stderr


def test_that_nobody_answered_is_never_taken_for_an_answer() -> None:
    nowhere = "http://127.0.0.1:9"
    done = audit(nowhere)

    assert done.returncode == NOBODY_ASKED
    assert "Whether weaknesses are known was NOT found out." in done.stderr
    assert audit(nowhere, AUDIT_REQUIRED="1").returncode == KNOWN
