"""The server: `python -m tests.peers.stripe_front.server --port PORT --upstream URL`, on 127.0.0.1 only."""

import argparse
import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from script.lib.processes import HOST
from tests.peers.stripe_front import pages
from tests.peers.stripe_front.api import Asked, Dropped, answer
from tests.peers.stripe_front.control import CONTROLS, send
from tests.peers.stripe_front.errors import StripeError
from tests.peers.stripe_front.upstream import LocalStripe
from tests.peers.stripe_front.world import World
from tests.peers.stripe_spec import load_spec

PAGES = ("/pay/", "/bank/", "/onboarding/", "/express/")


class Server(ThreadingHTTPServer):
    """Many connections, one world."""

    daemon_threads = True
    # A burst of connections is a test's purpose, not an attack.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], world: World) -> None:
        self.world = world
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes; the second must not wait for the client to confirm the first.
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: `requests` is the log."""

    def _handle(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if address.path.startswith("/_control/"):
            self._control(address.path.removeprefix("/_control/"), body)
        elif address.path.startswith(PAGES):
            self._page(address.path, dict(parse_qsl(address.query)), dict(parse_qsl(body)))
        else:
            self._api(Asked(self.command, address.path, address.query, body, dict(self.headers.items())))

    def _api(self, asked: Asked) -> None:
        try:
            given, replayed = answer(self.server.world, asked)
        except Dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        headers = {"Request-Id": given.request_id, "Stripe-Version": self.server.world.spec.version}
        if asked.key is not None:
            headers["Idempotency-Key"] = asked.key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
            headers["Original-Request"] = given.request_id
        self._send(given.status, "application/json", given.body, headers)

    def _page(self, path: str, query: dict[str, str], form: dict[str, str]) -> None:
        world = self.server.world
        with world.lock:
            status, text = pages.press(world, path, form) if self.command == "POST" else pages.show(world, path, query)
        if status == 303:
            self._send(status, "text/plain", b"", {"Location": text})
        else:
            self._send(status, "text/html; charset=utf-8", text.encode(), {})

    def _control(self, name: str, body: str) -> None:
        world, arguments = self.server.world, json.loads(body or "{}")
        try:
            if name == "health":
                text = "{}"
            elif name == "send":
                text = json.dumps(send(world, **arguments))
            else:
                with world.lock:
                    text = json.dumps(CONTROLS[name](world, **arguments))
        except (AssertionError, KeyError, StripeError, TypeError) as problem:
            self._send(400, "application/json", json.dumps({"error": f"{name}: {problem!r}"}).encode(), {})
            return
        self._send(200, "application/json", text.encode(), {})

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description="Serve the Stripe stand-in.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="where localstripe answers")
    wanted = parser.parse_args()
    world = World(url=f"http://{HOST}:{wanted.port}", upstream=LocalStripe(wanted.upstream), spec=load_spec())
    Server((HOST, wanted.port), world).serve_forever()


if __name__ == "__main__":
    main()
