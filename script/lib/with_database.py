"""Runs a command on a database server that is started for it: `python -m script.lib.with_database postgresql COMMAND …`.

The command finds the address of the server in DATABASE_URL. Nothing there survives a power cut: no test waits for a disk.
Where TEST_POSTGRESQL_URL or TEST_MONGODB_URL names a server that runs already, that one is used, and every database that the
command leaves in it is dropped.
"""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
from psycopg import sql

from script.lib.mongodb import MongoServer
from script.lib.postgresql import PostgresServer


@contextmanager
def address_for(kind: str) -> Iterator[str]:
    """Give the address of a database for a run, whose name no other of the server's databases begins with.

    `kind`: "sqlite", whose address is empty: the settings know where; "postgresql" or "mongodb".
    """
    if kind == "sqlite":
        yield ""
    elif given := os.environ.get(f"TEST_{kind.upper()}_URL"):
        name = f"hopps_run_{uuid.uuid4().hex[:8]}"
        try:
            yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        finally:
            (_drop_in_postgresql if kind == "postgresql" else _drop_in_mongodb)(given, name)
    else:
        # Also where it is told to end while it starts.
        with closing(PostgresServer(durable=False) if kind == "postgresql" else MongoServer(durable=False)) as server:
            server.start()
            yield server.url


def _drop_in_postgresql(address: str, beginning: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
            if beginning in name:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_in_mongodb(address: str, beginning: str) -> None:
    with pymongo.MongoClient[dict[str, object]](address) as client:
        for name in client.list_database_names():
            if beginning in name:
                client.drop_database(name)


def main() -> int:
    """Return the exit code of the command."""
    kind, *command = sys.argv[1:]
    # What is left behind is nobody's.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with address_for(kind) as address:
        process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": address})
        # The command ends what it started, and then the server goes. Ctrl-C reaches it by itself; what would end this
        # process alone is handed on as that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(signal.SIGINT))
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
