"""/metrics of a job worker, which serves nothing else: on a port of its own, where WORKER_METRICS_PORT is set."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from hopps.metrics import may_read


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/metrics" or not (settings.METRICS_TOKEN or settings.DEVELOPMENT):
            self.send_error(404)
        elif settings.METRICS_TOKEN and not may_read(self.headers.get("Authorization", "")):
            self.send_error(401)
        else:
            body = generate_latest(REGISTRY)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: Prometheus asks every few seconds."""


def serve(host: str, port: int) -> ThreadingHTTPServer:
    """Answer on `host` and `port` in a thread, to whom `hopps.metrics` would. Raises OSError where the port is taken."""
    server = ThreadingHTTPServer((host, port), _Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
