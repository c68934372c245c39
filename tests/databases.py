"""The databases of the tests, of whichever kind the suite runs on: made, copied, opened beside Django's own, dropped.

`script/test --database …` starts the server and names it in DATABASE_URL; without that the suite runs on SQLite's files.
Nothing here drops what is left at the end of a run: the files are in pytest's folders, and the server goes with its own.
"""

import os
import sqlite3
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from psycopg import sql
from pytest_django import DjangoDbBlocker

from hopps.databases import settings_of

# Of those opened beside Django's own.
CONNECTIONS = 4


class Databases(ABC):
    """Databases of one kind. One is told from another by its address, as DATABASE_URL has it."""

    @abstractmethod
    def address(self, folder: Path) -> str:
        """Return the address of a new, empty database; where it is a file, it is in `folder`."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Make the database at `target` what the one at `source` is; whatever it held is gone. Nobody has either open."""

    @abstractmethod
    def drop(self, address: str) -> None:
        """Drop a database, whoever still has it open."""


class SqliteFiles(Databases):
    """SQLite's files."""

    def address(self, folder: Path) -> str:
        return f"sqlite:///{folder / f'{uuid.uuid4().hex}.sqlite3'}"

    def copy(self, source: str, target: str) -> None:
        self.drop(target)
        with closing(sqlite3.connect(self._file(source))) as original, closing(sqlite3.connect(self._file(target))) as copy:
            original.backup(copy)

    def drop(self, address: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._file(address)}{ending}").unlink(missing_ok=True)

    def _file(self, address: str) -> str:
        return address.removeprefix("sqlite:///")


class OfServer(Databases):
    """Databases of a server: beside the one that the run was given, with names that begin as its does."""

    def __init__(self, base: str) -> None:
        self.base = base

    def _new_name(self) -> str:
        return f"{name_in(self.base)}_{uuid.uuid4().hex[:12]}"

    def _named(self, name: str) -> str:
        return urlunsplit(urlsplit(self.base)._replace(path=f"/{name}"))


class PostgresDatabases(OfServer):
    """PostgreSQL's, which copies a database file by file."""

    def address(self, folder: Path) -> str:
        name = self._new_name()
        self._do(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._named(name)

    def copy(self, source: str, target: str) -> None:
        self.drop(target)
        names = (sql.Identifier(name_in(target)), sql.Identifier(name_in(source)))
        self._do(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))

    def drop(self, address: str) -> None:
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name_in(address))))

    def _do(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._named("postgres"), autocommit=True) as connection:
            connection.execute(statement)


class MongoDatabases(OfServer):
    """MongoDB's, which are made by the first write to them, and copied by the driver."""

    def address(self, folder: Path) -> str:
        return self._named(self._new_name())

    def copy(self, source: str, target: str) -> None:
        with self._client() as client:
            original, copy = client[name_in(source)], client[name_in(target)]
            there = set(copy.list_collection_names())
            for name in original.list_collection_names():
                if name not in there:
                    copy.create_collection(name, **original[name].options())
                    for index in original[name].list_indexes():
                        # What is left of its description is what it was made with.
                        made = {key: value for key, value in index.items() if key not in {"v", "key", "ns"}}
                        copy[name].create_index(list(index["key"].items()), **made)
                elif copy[name].find_one() is not None:
                    copy[name].delete_many({})
                if documents := list(original[name].find()):
                    copy[name].insert_many(documents)

    def drop(self, address: str) -> None:
        with self._client() as client:
            client.drop_database(name_in(address))

    def _client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self.base)


def name_in(address: str) -> str:
    """Return the name of the database in the address of a server's."""
    return urlsplit(address).path.lstrip("/")


def _chosen() -> Databases:
    base = os.environ.get("DATABASE_URL", "")
    if base.startswith("postgresql:"):
        return PostgresDatabases(base)
    if base.startswith("mongodb:"):
        return MongoDatabases(base)
    return SqliteFiles()


databases = _chosen()


def examples(number: int) -> int:
    """Return how many made-up examples of a rule to try: all on SQLite, a fifth elsewhere, where the rule is the same."""
    return number if isinstance(databases, SqliteFiles) else number // 5


def now() -> datetime:
    """Return the moment, in UTC, as the database keeps it: MongoDB leaves milliseconds of it."""
    moment = timezone.now()
    if isinstance(databases, MongoDatabases):
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return moment


def close_all() -> None:
    """Close every connection of this process: one that is about to fork, or that leaves its database to others."""
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        # PostgreSQL's and MongoDB's drivers keep some beyond that.
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def use(address: str) -> None:
    """Have this process's own connection go to the database at `address` from now on."""
    close_all()
    connections[DEFAULT_DB_ALIAS].settings_dict.update(_read(address))


@contextmanager
def opened(address: str, blocker: DjangoDbBlocker | None = None) -> Iterator[str]:
    """Open the database at `address` beside Django's own; give the alias for `using(alias)`.

    Whatever is asked must be answered inside: a queryset is a question only. `blocker` is pytest-django's, in tests.
    """
    alias = f"beside-{uuid.uuid4().hex[:8]}"
    connections.settings[alias] = {**connections.settings[DEFAULT_DB_ALIAS], **_read(address)}
    # Playwright keeps an event loop in the thread of its tests, where Django would not ask any database.
    unsafe = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with blocker.unblock() if blocker else nullcontext():
            yield alias
    finally:
        connection = connections[alias]
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
        del connections[alias]
        del connections.settings[alias]
        if unsafe is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _read(address: str) -> dict[str, Any]:
    return settings_of(address, connections=CONNECTIONS)
