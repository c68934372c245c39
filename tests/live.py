"""A real Hopps server process with a database of its own, for tests that need the wire: browsers, sockets, kills."""

import email
import email.policy
import fcntl
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from email.message import EmailMessage
from pathlib import Path

from pytest_django import DjangoDbBlocker

from accounts.models import ExpertProfile
from script.lib.cluster import Cluster
from script.lib.processes import HOST, OwnServer, ServerProcess, free_port
from sessions_app.models import OVER_STATES, HelpSession, State
from tests.databases import databases, opened

ROOT = Path(__file__).resolve().parents[1]
DEMO_PASSWORD = "demo-hopps-1"


class LiveServer(OwnServer):
    """`python -m hopps.server` on a free port of 127.0.0.1. Killed and started again, it keeps its address and database."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str,
        environment: dict[str, str] | None = None,
        blocker: DjangoDbBlocker | None = None,
    ) -> None:
        """Describe the server; `start` starts it.

        Args:
            folder: where its mail, uploads and log go.
            database: the address of its database.
            environment: settings on top, such as {"REQUEST_EXPIRES_SECONDS": "3"}.
            blocker: pytest-django's, in tests, for a look at that database.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database
        self._blocker = blocker
        self.environment = environment_of(folder, database) | (environment or {})
        self._listen_on(free_port())

    def _describe(self, port: int) -> ServerProcess:
        self.url = f"http://{HOST}:{port}"
        return ServerProcess(
            [sys.executable, "-m", "hopps.server"],
            url=f"{self.url}/healthz",
            log=self.folder / "server.log",
            environment=self.environment | {"HOST": HOST, "PORT": str(port)},
            folder=ROOT,
        )

    def mend(self) -> None:
        """Start again what a test that failed left down, and end every session that was under way."""
        self._start_what_is_down()
        with self.rows() as its:
            HelpSession.objects.using(its).exclude(state__in=OVER_STATES).update(state=State.CANCELLED)
            ExpertProfile.objects.using(its).update(available=True, quiet_until=None)

    def _start_what_is_down(self) -> None:
        self.process.start_if_down()

    def rows(self) -> AbstractContextManager[str]:
        """Open its database beside it: `with server.rows() as its: Topic.objects.using(its).get(name="Python")`."""
        return opened(self.database, self._blocker)

    def manage(self, *arguments: str) -> str:
        """Run a management command against its database; return what it printed."""
        return manage(self.environment, *arguments)

    def mails(self) -> list[EmailMessage]:
        """Return the mails it sent, oldest first."""
        files = sorted((self.folder / "mail").glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        # Django writes a line of dashes after each mail, and appends the mails of one connection to one file.
        texts = [text for path in files for text in path.read_text().split(f"\n{'-' * 79}\n") if text.strip()]
        return [email.message_from_string(text, _class=EmailMessage, policy=email.policy.default) for text in texts]


class LiveCluster(LiveServer):
    """Redis, two web processes and a job worker behind a proxy, in place of the one process."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str,
        environment: dict[str, str] | None = None,
        blocker: DjangoDbBlocker | None = None,
    ) -> None:
        """Describe it, as LiveServer is described."""
        super().__init__(folder, database=database, environment=environment, blocker=blocker)
        self.cluster = Cluster(folder / "cluster", environment=self.environment)
        self.port, self.url = self.cluster.proxy.port, self.cluster.url

    def start(self) -> None:
        """Start all of it and return once it serves."""
        self.cluster.start()
        self.environment = self.cluster.environment

    def _start_what_is_down(self) -> None:
        for process in self.cluster.processes:
            process.start_if_down()

    def stop(self) -> None:
        """Stop all of it."""
        self.cluster.stop()

    def log_tail(self) -> str:
        """Return the end of what each of its processes said."""
        return self.cluster.log_tail()


def prepare_database(folder: Path, *, demo: bool) -> str:
    """Return the address of a migrated database, with the demo data if `demo`, to copy from.

    It is made once for all who share `folder`.
    """
    own = folder / ("demo" if demo else "empty")
    own.mkdir(parents=True, exist_ok=True)
    known = own / "address"
    with (own / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            if demo:
                address = copy_of(prepare_database(folder, demo=False), own)
                manage(environment_of(own, address), "demo")
            else:
                address = databases.address(own)
                manage(environment_of(own, address), "prepare")
            known.write_text(address)
    return known.read_text()


def copy_of(prepared: str, folder: Path) -> str:
    """Return the address of a new copy of the database at `prepared`; `folder` is for what is kept in files."""
    address = databases.address(folder)
    databases.copy(prepared, address)
    return address


def environment_of(folder: Path, database: str) -> dict[str, str]:
    """Return the settings of a process that keeps its files in `folder` and its rows at the address `database`."""
    return {
        "DJANGO_SETTINGS_MODULE": "hopps.settings",
        "HOPPS_ENV": "development",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "REDIS_URL": "",
        "JOBS_IN_WEB_PROCESS": "",
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(folder / "mail"),
        # All of a module's people come from this machine. Tests of the limits start servers with real ones.
        "LIMITS_TIMES": "1000",
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
