"""A Redis server of our own on 127.0.0.1, for script/cluster, the tests and the benchmarks. Uses Debian's redis-server."""

import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from script.lib.processes import HOST, OwnServer, ServerProcess, free_port

ANSWER_SECONDS = 1.0


class RedisServer(OwnServer):
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

    def _describe(self, port: int) -> ServerProcess:
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
        return ServerProcess(
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

    def freeze(self) -> None:
        """Have it answer nothing any more, with every connection left open (SIGSTOP)."""
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on after `freeze`."""
        self.process.send(signal.SIGCONT)


def _answers(url: str) -> bool:
    """Return whether it answers a PING now; while it still reads its data it does not."""
    client = Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
