"""A server on loopback with faults: the next requests that match get an error, no answer, or silence.

It runs in the test's own process, on threads; what it stands for is a subclass's `answer`.
"""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from script.lib.processes import HOST

# Straight to this machine, whatever proxy the environment names.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    """With what stands after the question mark."""
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """An answer."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request."""

    kind: Literal["answer", "lost", "silence"]
    """`answer`: this one, and nothing done. `lost`: done, and the connection cut. `silence`: never done nor answered."""
    words: str
    """What the request has in its path or body."""
    answer: Answer = Answer(500, b"")


class FaultyServer:
    """A server that answers as a subclass says, but for the faults ordered."""

    def __init__(self) -> None:
        """Listen on a free port, at once."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._over = threading.Event()
        self._server = _Server((HOST, 0), self)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def answer(self, asked: Asked) -> Answer:
        """Do what a request asks, and answer it."""
        raise NotImplementedError

    def order(self, fault: Fault) -> None:
        """Let one request, the next that matches, go wrong."""
        with self._lock:
            self._faults.append(fault)

    def fail(self, words: str, status: int, body: bytes, *, times: int = 1, kind: str = "application/json") -> None:
        """Answer the next requests that have `words` with an error, and do nothing."""
        for _ in range(times):
            self.order(Fault("answer", words, Answer(status, body, kind)))

    def lose_answer(self, words: str) -> None:
        """Do what the next request that has `words` asks, and cut the connection instead of answering."""
        self.order(Fault("lost", words))

    def be_silent(self, words: str) -> None:
        """Take the next request that has `words`, and never answer."""
        self.order(Fault("silence", words))

    def forget_faults(self) -> None:
        """Forget the faults not used up, and let go of requests that wait."""
        with self._lock:
            self._faults.clear()
        self._over.set()
        self._over = threading.Event()

    def stop(self) -> None:
        """Stop listening."""
        self.forget_faults()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, asked: Asked) -> Answer | None:
        """Answer a request, or None: its connection is to be cut."""
        fault = self._take(asked)
        if fault is None:
            return self.answer(asked)
        match fault.kind:
            case "answer":
                return fault.answer
            case "lost":
                self.answer(asked)
            case "silence":
                self._over.wait(60)
        return None

    def _take(self, asked: Asked) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.words in asked.path or fault.words in asked.body:
                    self._faults.remove(fault)
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], owner: FaultyServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        given = self.server.owner.serve(Asked(self.command, self.path, body, dict(self.headers.items())))
        if given is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(given.status)
        for name, value in {"Content-Type": given.kind, "Content-Length": str(len(given.body)), **given.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(given.body)


class Front(FaultyServer):
    """Hands every request on to a server behind it."""

    def __init__(self, upstream: str) -> None:
        """Stand before the server at the address `upstream`."""
        self._upstream = upstream
        self.asked: list[Asked] = []
        super().__init__()

    def answer(self, asked: Asked) -> Answer:
        """Ask the server behind."""
        self.asked.append(asked)
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in ("host", "connection")}
        body = asked.body.encode() or None
        request = urllib.request.Request(self._upstream + asked.path, body, headers, method=asked.method)
        try:
            with opener.open(request, timeout=30) as given:
                return Answer(given.status, given.read(), given.headers["Content-Type"])
        except urllib.error.HTTPError as problem:
            with problem:
                return Answer(problem.code, problem.read(), problem.headers["Content-Type"])
