"""`python -m hopps.server`: uvicorn, set up the one way for script/server, the container, the tests and the benchmarks."""

import asyncio
import contextlib
import signal
import socket
import sys

import uvicorn
from django.core.exceptions import ImproperlyConfigured

from hopps import env

# Requests under way have so long to end when the process is told to stop.
REQUEST_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn, which on SIGTERM has the pages go to other processes before it lets go of anything (decision 0022).

    On Ctrl-C, and on a second signal, it does not wait for that.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, to visitors and to the other processes."""
        from hopps.realtime.hub import hub  # late: the application has set Django up by now

        await super().startup(sockets)
        await hub.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then end: requests under way, then jobs under way, then what is still to be said to other processes."""
        from hopps.drain import drain
        from hopps.jobs import stop_worker_in_this_process
        from hopps.realtime.hub import hub

        await drain(is_hurried=self._is_hurried)
        await super().shutdown(sockets)
        await asyncio.to_thread(stop_worker_in_this_process)
        await hub.stop()

    def _is_hurried(self) -> bool:
        return signal.SIGINT in self._captured_signals or len(self._captured_signals) > 1


def run(application: str = "hopps.asgi:application") -> None:
    """Serve `application` until told to stop.

    Reads from the environment: HOST (default 127.0.0.1), PORT (8000), TRUSTED_PROXIES (addresses, none).
    """
    proxies = env.text("TRUSTED_PROXIES")
    config = uvicorn.Config(
        application,
        host=env.text("HOST", "127.0.0.1"),
        port=env.number("PORT", 8000),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        # One event goes to many sockets: compressing it again for each of them costs more than its few hundred bytes.
        ws_per_message_deflate=False,
        ws_max_size=128 * 1024,
        # The address of the visitor is taken from a header only when it comes from a proxy named here.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        # hopps.seen writes the line, with the request's id; all logs go by LOGGING.
        access_log=False,
        log_config=None,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )
    try:
        # Here and not inside of the loop: what must not start ends with its sentence (hopps.checks), and nothing else.
        config.load()
    except ImproperlyConfigured as problem:
        sys.exit(f"Hopps does not start: {problem}")
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    run()
