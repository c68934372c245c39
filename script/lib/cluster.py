"""Redis, N web processes and a job worker on one database, behind one address: for script/cluster, tests and benchmarks."""

import sys
import time
from pathlib import Path

from script.lib.processes import HOST, ServerProcess, free_port
from script.lib.proxy import Proxy
from script.lib.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]


class WebProcess(ServerProcess):
    """One `python -m hopps.server`. `address` is its own, past the proxy; stopped and started again it keeps it."""

    # It lets requests end and tells its pages to go elsewhere first.
    stop_seconds = 30.0

    def __init__(self, *, port: int, log: Path, environment: dict[str, str]) -> None:
        self.port = port
        self.address = f"http://{HOST}:{port}"
        super().__init__(
            [sys.executable, "-m", "hopps.server"],
            url=f"{self.address}/healthz",
            log=log,
            environment=environment | {"HOST": HOST, "PORT": str(port)},
            folder=ROOT,
        )


class Worker(ServerProcess):
    """`manage.py run_huey`. It serves no address: it counts as started at once, and finds its jobs where they wait."""

    stop_seconds = 30.0

    def __init__(self, *, log: Path, environment: dict[str, str]) -> None:
        super().__init__(
            [sys.executable, "manage.py", "run_huey"],
            url="",
            log=log,
            environment=environment,
            folder=ROOT,
            serves=lambda: True,
        )


class Cluster:
    """All of it, started and stopped together; each part can be killed, stopped and started again by itself."""

    def __init__(self, folder: Path, *, environment: dict[str, str], webs: int = 2, port: int | None = None) -> None:
        """Describe it; `start` starts it. The database must have been prepared (`manage.py prepare`).

        Args:
            folder: where the logs and Redis's data go; made where it is missing.
            environment: what the processes get: DATABASE_URL, VAR_DIR and any setting; not REDIS_URL, which is set here.
            webs: how many web processes.
            port: where the one address listens; a free port where None.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.redis = RedisServer(folder / "redis")
        ports = [free_port() for _ in range(webs)]
        self.proxy = Proxy(folder, ports=ports, port=port)
        self.url = self.proxy.url
        self._own = environment
        self.webs = [
            WebProcess(port=web, log=folder / f"web{number}.log", environment={})
            for number, web in enumerate(ports, start=1)
        ]
        self.worker = Worker(log=folder / "worker.log", environment={})

    @property
    def environment(self) -> dict[str, str]:
        """The settings its processes share, for management commands on the same database and Redis."""
        return {
            "PUBLIC_URL": self.url,
            **self._own,
            "REDIS_URL": self.redis.url,
            "JOBS_IN_WEB_PROCESS": "",
            "TRUSTED_PROXIES": HOST,
            # The proxy asks five times a second.
            "DRAIN_NOTICE_SECONDS": "1",
        }

    @property
    def processes(self) -> list[ServerProcess]:
        """All of it, in the order in which it is started."""
        return [self.redis.process, *self.webs, self.worker, self.proxy.process]

    def url_by(self, number: int) -> str:
        """Return the address that goes to web process `number` (from 0), and to the others only while that one is away."""
        return self.proxy.url_by(number)

    def start(self) -> None:
        """Start all of it and return once pages come through the proxy. Raises DidNotStart with a log when one does not."""
        self.redis.start()
        for process in (*self.webs, self.worker):
            # Redis may have had to take another port.
            process.environment |= self.environment
        for web in self.webs:
            web.start()
        self.worker.start()
        self.proxy.start()

    def wait_for_an_end(self, seconds: float) -> ServerProcess | None:
        """Wait for so long; return a process of it that ended by itself meanwhile, or None."""
        time.sleep(seconds)
        return next((process for process in self.processes if process.ended_by_itself), None)

    def roll(self) -> None:
        """Replace the web processes one after the other, then the worker, while the others serve."""
        for web in self.webs:
            # It says for a second that it is not ready, and by then the proxy has the one before it back.
            web.stop()
            web.start()
        self.worker.stop()
        self.worker.start()

    def stop(self) -> None:
        """Stop all of it, the ones that use the others first."""
        self.proxy.stop()
        for process in (*self.webs, self.worker):
            process.stop()
        self.redis.stop()

    def log_tail(self) -> str:
        """Return the end of what each of them said."""
        logs = [*(web.log_tail() for web in self.webs), self.worker.log_tail(), self.redis.log_tail(), self.proxy.log_tail()]
        return "\n".join(logs)
