"""The database servers of the tests: what was acknowledged survives a power cut, and Hopps survives one of theirs."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pymongo
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from script.lib.mongodb import MongoServer
from script.lib.postgresql import PostgresServer
from tests.databases import opened
from tests.live import ROOT


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def test_what_postgresql_acknowledged_survives_its_death(postgresql: PostgresServer) -> None:
    with psycopg.connect(postgresql.create("lives")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    postgresql.kill()
    postgresql.start_again()
    with psycopg.connect(postgresql.url_of("lives")) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_what_mongodb_acknowledged_survives_its_death() -> None:
    with MongoServer() as server:
        with pymongo.MongoClient[dict[str, int]](server.url) as client:
            client.get_default_database()["kept"].insert_one({"_id": 7})
        server.kill()
        server.start_again()
        with pymongo.MongoClient[dict[str, int]](server.url) as client:
            assert list(client.get_default_database()["kept"].find()) == [{"_id": 7}]


def test_who_comes_after_postgresql_died_does_not_notice(
    postgresql: PostgresServer, django_db_blocker: DjangoDbBlocker
) -> None:
    with opened(postgresql.create("asked"), django_db_blocker) as alias:

        def ask() -> object:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 7")
                row = cursor.fetchone()
            # As at the end of a request: back into the pool.
            connections[alias].close()
            return row

        assert ask() == (7,)
        postgresql.kill()
        postgresql.start_again()
        assert ask() == (7,)


LEFT_BEHIND = """
import os, psycopg
address, _, name = os.environ["DATABASE_URL"].rpartition("/")
with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
    connection.execute(f"CREATE DATABASE test_{name}_gw0")
"""


def test_a_run_on_a_server_of_others_leaves_nothing_there(postgresql: PostgresServer) -> None:
    run = [sys.executable, "-m", "script.lib.with_database", "postgresql", sys.executable, "-c", LEFT_BEHIND]
    subprocess.run(run, check=True, cwd=ROOT, env=os.environ | {"TEST_POSTGRESQL_URL": postgresql.url})
    with psycopg.connect(postgresql.url) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
    assert not {name for name in names if "hopps_run" in name}
    assert "hopps" in names
