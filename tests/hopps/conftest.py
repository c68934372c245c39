"""Databases of all three kinds in one run, whatever kind the suite runs on, and a site to copy and to back up."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from hopps.rows.copy import copy_rows
from hopps.rows.opened import opened
from script.lib.mongodb import MongoServer
from script.lib.postgresql import PostgresServer
from script.lib.redis_server import RedisServer
from tests.databases import Databases, MongoDatabases, PostgresDatabases, SqliteFiles, close_all, databases
from tests.live import environment_of, manage, prepare_database

KINDS = ("sqlite", "postgresql", "mongodb")
Open = Callable[[str], str]


class ThreeKinds:
    """Databases of each kind, by their addresses."""

    def __init__(self, folder: Path, servers: ExitStack) -> None:
        """Keep SQLite's files in `folder`; a server is started when it is needed, and ends with `servers`."""
        self._folder = folder
        self._servers = servers
        self._kinds: dict[str, Databases] = {}
        self._migrated: dict[str, str] = {}
        self._with_site: dict[str, str] = {}

    def new(self, kind: str) -> str:
        """Return the address of a new, empty database, with no table in it."""
        return self._of(kind).address(self._folder)

    def with_site(self, kind: str, site: Path) -> str:
        """Return the address of a new database with the rows of the site in the folder `site`."""
        if kind not in self._with_site:
            address = address_of(site)
            if kind != "sqlite":
                address = self.new(kind)
                with opened(address_of(site)) as source, opened(address) as target:
                    # Into a database without tables: it is migrated first.
                    copy_rows(source, target, origin="the site", say=print)
            self._with_site[kind] = address
        return self._copy_of(kind, self._with_site[kind])

    def migrated(self, kind: str, site: Path) -> str:
        """Return the address of a new database with all tables, and nothing in them."""
        if kind not in self._migrated:
            address = self.with_site(kind, site)
            with opened(address) as using:
                call_command("flush", database=using, verbosity=0, interactive=False, inhibit_post_migrate=True)
            self._migrated[kind] = address
        return self._copy_of(kind, self._migrated[kind])

    def _copy_of(self, kind: str, address: str) -> str:
        copy = self.new(kind)
        self._of(kind).copy(address, copy)
        return copy

    def _of(self, kind: str) -> Databases:
        if kind not in self._kinds:
            self._kinds[kind] = self._start(kind)
        return self._kinds[kind]

    def _start(self, kind: str) -> Databases:
        # The one that the suite runs on is used for this too.
        base = os.environ.get("DATABASE_URL", "")
        here = base.startswith(f"{kind}:")
        if kind == "postgresql":
            return PostgresDatabases(base if here else self._servers.enter_context(PostgresServer(durable=False)).url)
        if kind == "mongodb":
            return MongoDatabases(base if here else self._servers.enter_context(MongoServer(durable=False)).url)
        return SqliteFiles()


@pytest.fixture(scope="session")
def three_kinds(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[ThreeKinds]:
    """All three, whichever the suite runs on."""
    with ExitStack() as servers, django_db_blocker.unblock():
        yield ThreeKinds(tmp_path_factory.mktemp("three-kinds"), servers)
        close_all()


@pytest.fixture(scope="session")
def site(shared_folder: Path) -> Path:
    """A folder with the SQLite database and the uploads of a site that has some of everything; nobody writes to it."""
    folder = shared_folder / "site"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            environment = environment_of(folder, address_of(folder))
            if isinstance(databases, SqliteFiles):
                # Migrated once for all tests.
                databases.copy(prepare_database(shared_folder, demo=False), address_of(folder))
            else:
                manage(environment, "migrate", "--verbosity=0")
            manage(environment, "shell", "--no-imports", "-c", "from tests.hopps.rows_world import main; main()")
            (folder / "ready").touch()
    return folder


def address_of(folder: Path) -> str:
    """Return the address of the site's database."""
    return f"sqlite:///{folder / 'site.sqlite3'}"


@pytest.fixture
def open_database(django_db_blocker: DjangoDbBlocker) -> Iterator[Open]:
    """`open_database(address)`: a database's name for `using=`, until the test ends."""
    with ExitStack() as open_ones, django_db_blocker.unblock():
        yield lambda address: open_ones.enter_context(opened(address))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of the module's own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
