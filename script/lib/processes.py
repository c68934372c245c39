"""Server processes for the tests and the benchmarks: started on a port of 127.0.0.1, awaited, ended, their log at hand."""

import os
import pwd
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
PORTS_TRIED = 3
# Straight to this machine, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def status_of(url: str) -> int | None:
    """Return the status `url` answers with, or None while nobody answers."""
    try:
        with _opener.open(url, timeout=10) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as problem:
        return problem.code
    except OSError:
        return None


class DidNotStart(Exception):
    """A server ended, or did not answer in START_SECONDS. The message holds its log."""


class ServerProcess:
    """A program that serves, in a process group of its own."""

    stop_seconds = STOP_SECONDS
    """How long `stop` waits before it kills."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        url: str,
        log: Path,
        environment: dict[str, str],
        folder: Path,
        serves: Callable[[], bool] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Describe it.

        Args:
            command: what to run.
            url: its address; over HTTP, one that answers 200 once it serves.
            log: file its output is appended to.
            environment: variables on top of this process's.
            folder: where it runs.
            serves: says whether it serves, for what is not HTTP.
            user: who runs it, for what refuses to be run by root; only root can say so.
            stop_signal: what asks it to end.
        """
        self.command = list(command)
        self.url = url
        self.log = log
        self.environment = {**os.environ, **environment}
        self.folder = folder
        self._serves = serves or (lambda: status_of(url) == 200)
        self._user = user
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id. Raises RuntimeError when it is not running."""
        if self._process is None:
            raise RuntimeError("The server is not running.")
        return self._process.pid

    @property
    def ended_by_itself(self) -> bool:
        """Whether it ended, and nobody asked it to."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start it and return once it serves. Raises DidNotStart with the log when it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                process_group=0,
                user=self._user,
                group=pwd.getpwnam(self._user).pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._serves():
                return
            time.sleep(0.02)
        self.kill()
        raise DidNotStart(f"{' '.join(self.command)} did not serve {self.url}:\n{self.log_tail()}")

    def start_if_down(self) -> None:
        """Start it where it is not running."""
        if self._process is None or self.ended_by_itself:
            self.start()

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to whatever it started. Raises RuntimeError when it is not running."""
        os.killpg(self.pid, number)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
        try:
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log_tail(self, characters: int = 6000) -> str:
        """Return the end of what it has said so far."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""


class OwnServer:
    """A server of ours on a free port of 127.0.0.1. Killed and started again, it keeps its address and what it held."""

    port: int
    process: ServerProcess

    def _describe(self, port: int) -> ServerProcess:
        """Return the process that listens on `port`, which is `self.port`."""
        raise NotImplementedError

    def _listen_on(self, port: int) -> None:
        self.port = port
        self.process = self._describe(port)

    def start(self) -> None:
        """Start it and return once it serves. Raises DidNotStart with its log when it does not."""
        for _ in range(PORTS_TRIED):
            try:
                self.process.start()
            except DidNotStart as problem:
                # Somebody else took the port between finding and using it.
                if "address already in use" not in str(problem).lower():
                    raise
                self._listen_on(free_port())
            else:
                return
        raise DidNotStart("No free port was found.")

    def start_again(self) -> None:
        """Start it at the address it had, with what it held."""
        self.process.start()

    def stop(self) -> None:
        """End it as an operator would; what it holds stays."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self.process.kill()

    def log_tail(self) -> str:
        """Return the end of what it said."""
        return self.process.log_tail()
