"""A real TURN relay (Debian's coturn) on 127.0.0.1, killed and started again as a test needs it."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from random import randrange

from script.lib.processes import HOST, STOP_SECONDS, DidNotStart, free_port

START_SECONDS = 20.0
# "Who am I to you?" (RFC 8489), which a relay answers to anybody.
BINDING_REQUEST = bytes.fromhex("000100002112a442") + b"hopps-tests!"
SECRET = "north-of-the-tests"
# Each page takes a port or two at every attempt; more than a test's restarts use.
RELAY_PORTS = 100


class Coturn:
    """`turnserver`, for relaying between addresses of this machine, which a real one must refuse."""

    def __init__(self, folder: Path, *, start: Path | None = None, external: str = "", also: str = "") -> None:
        """Describe it; `start` starts it.

        Args:
            folder: where its log goes.
            start: a script to start it with, in place of the settings calls of the tests need.
            external: TURN_EXTERNAL_IP, for that script.
            also: a second address to relay from.

        Raises:
            RuntimeError: it is not installed.
        """
        program = shutil.which("turnserver")
        if program is None:
            raise RuntimeError("The tests of calls by a relay need coturn: apt-get install coturn")
        self.port = free_port()
        self.log = folder / "turnserver.log"
        first = randrange(20_000, 30_000)
        how = (
            ["sh", str(start)]
            if start is not None
            else [
                *(program, "-n", "--use-auth-secret", "--fingerprint", "--no-cli", "--no-tls", "--no-dtls"),
                *("--allow-loopback-peers", "--realm=hopps.test", f"--static-auth-secret={SECRET}"),
            ]
        )
        self._environment = {
            "TURN_HOST": "hopps.test",
            "TURN_SECRET": SECRET,
            "TURN_EXTERNAL_IP": external,
            "TMPDIR": str(folder),
        }
        self._command = [
            *(*how, "--log-file=stdout", "--verbose", f"--pidfile={folder / 'turnserver.pid'}"),
            *(f"--listening-ip={HOST}", f"--listening-port={self.port}", f"--relay-ip={HOST}"),
            *([f"--relay-ip={also}"] if also else []),
            *(f"--min-port={first}", f"--max-port={first + RELAY_PORTS}"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server whose calls all go by this relay."""
        return {"TURN_URLS": f"turn:{HOST}:{self.port}?transport=udp", "TURN_SECRET": SECRET, "TURN_ONLY": "1"}

    def start(self) -> None:
        """Start it, where it was before, and return once it takes connections. Raises DidNotStart with its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=os.environ | self._environment, stdout=log, stderr=log, process_group=0
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.02)
        self.kill()
        raise DidNotStart(f"turnserver did not start:\n{self.said()[-4000:]}")

    def _answers(self) -> bool:
        """Return whether it takes connections and, which comes a moment later, packets."""
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.settimeout(1)
                probe.connect((HOST, self.port))
                probe.send(BINDING_REQUEST)
                return bool(probe.recv(1024))
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL); every connection it relays is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(STOP_SECONDS)

    def said(self) -> str:
        """Return its log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""
