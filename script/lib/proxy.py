"""HAProxy before several web processes on this machine: one address, no stickiness, nothing to a process not ready."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from script.lib.processes import HOST, ServerProcess, free_port

# A process is asked this often whether it is ready; two times "no" take it out, a slow answer on a busy machine does not.
CHECK_MILLISECONDS = 200

# `http-reuse never`: a request is never sent on a connection that its process may be closing at that moment.
# A connection that is refused is tried at another process; a request that was sent is never sent twice.
_COMMON = """
global
    fd-hard-limit 20000

defaults
    mode http
    balance roundrobin
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 6h
    timeout check 10s
    option forwardfor
    option redispatch 1
    retries 3
    http-reuse never
    default-server inter {inter}ms rise 1 fall 2
"""


class Proxy:
    """HAProxy on a port of 127.0.0.1. Beside the address for all, one for each process that prefers it."""

    def __init__(self, folder: Path, *, ports: Sequence[int], port: int | None = None) -> None:
        """Describe it.

        Args:
            folder: where its configuration and log go.
            ports: where the web processes listen.
            port: where it listens itself; a free one where None.
        """
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._first = [free_port() for _ in ports]
        self._config = folder / "haproxy.cfg"
        self._text = _configuration(self.port, ports, self._first)
        self._process = ServerProcess(
            [_haproxy(), "-db", "-f", str(self._config)],
            url=f"{self.url}/healthz",
            log=folder / "haproxy.log",
            environment={},
            folder=folder,
        )

    def url_by(self, number: int) -> str:
        """Return the address that goes to web process `number` (from 0), and to the others only while that one is away."""
        return f"http://{HOST}:{self.port_by(number)}"

    def port_by(self, number: int) -> int:
        """Return the port of `url_by`."""
        return self._first[number]

    def start(self) -> None:
        """Start it and return once a page comes through. Raises DidNotStart with its log when none does."""
        self._config.write_text(self._text)
        self._process.start()

    def stop(self) -> None:
        """End it; every connection through it ends."""
        self._process.stop()

    def log_tail(self) -> str:
        """Return the end of what it said."""
        return self._process.log_tail()


def _haproxy() -> str:
    # Debian puts it where only root's PATH looks.
    return shutil.which("haproxy") or "/usr/sbin/haproxy"


def _configuration(port: int, ports: Sequence[int], first: Sequence[int]) -> str:
    names = [f"web{number}" for number in range(1, len(ports) + 1)]
    lines = [
        _COMMON.format(inter=CHECK_MILLISECONDS),
        "listen all",
        f"    bind {HOST}:{port}",
        "    option httpchk GET /readyz",
        *(f"    server {name} {HOST}:{web} check" for name, web in zip(names, ports, strict=True)),
    ]
    for chosen, own in zip(names, first, strict=True):
        lines += [f"listen {chosen}-first", f"    bind {HOST}:{own}"]
        for name, web in zip(names, ports, strict=True):
            lines.append(f"    server {name} {HOST}:{web} track all/{name}{'' if name == chosen else ' backup'}")
    return "\n".join(lines) + "\n"
