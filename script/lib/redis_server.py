"""A Redis server of our own on 127.0.0.1, for script/cluster, the tests and the benchmarks. Uses Debian's redis-server."""

import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from script.lib.processes import HOST, DidNotStart, ServerProcess, free_port

PORTS_TRIED = 3
ANSWER_SECONDS = 1.0


class RedisServer:
    """A Redis on a free port, its data in a folder. Killed and started again, it keeps its address and what it held."""

    def __init__(self, folder: Path, *, options: dict[str, str] | None = None) -> None:
        """Describe it; `start` starts it.

        Args:
            folder: where its data and log go; made where it is missing.
            options: lines of redis.conf on top, such as {"client-output-buffer-limit": "pubsub 32mb 8mb 60"}.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.options = options or {}
        self._listen_on(free_port())

    def _listen_on(self, port: int) -> None:
        self.port = port
        self.url = f"redis://{HOST}:{port}/0"
        # As in production (compose.yaml): every job is on the disk within a second.
        settings = {
            "bind": HOST,
            "port": str(port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            **self.options,
        }
        self._process = ServerProcess(
            [
                "redis-server",
                *(word for name, value in settings.items() for word in (f"--{name}", *(value.split() or [""]))),
            ],
            url=self.url,
            log=self.folder / "redis.log",
            environment={},
            folder=self.folder,
            serves=lambda: _answers(self.url),
        )

    def start(self) -> None:
        """Start it and return once it answers. Raises DidNotStart with its log when it does not."""
        for _ in range(PORTS_TRIED):
            try:
                self._process.start()
            except DidNotStart as problem:
                # Somebody else took the port between finding and using it.
                if "address already in use" not in str(problem).lower():
                    raise
                self._listen_on(free_port())
            else:
                return
        raise DidNotStart("No free port was found for Redis.")

    def start_again(self) -> None:
        """Start it at the address it had, with what it held."""
        self._process.start()

    def stop(self) -> None:
        """End it as an operator would (SIGTERM): it writes down what it holds."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._process.kill()

    def freeze(self) -> None:
        """Have it answer nothing any more, with every connection left open (SIGSTOP)."""
        self._process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on after `freeze`."""
        self._process.send(signal.SIGCONT)

    def log_tail(self) -> str:
        """Return the end of what it said."""
        return self._process.log_tail()


def _answers(url: str) -> bool:
    """Return whether it answers a PING now; while it still reads its data it does not."""
    client = Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
