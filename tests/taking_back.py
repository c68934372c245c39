"""On MongoDB nothing a test wrote is rolled back: what it wrote to is made again what the migrations left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from pymongo.collection import Collection

from tests.writes import watched_writes

Documents = list[dict[str, Any]]

_left_by_migrations: dict[str, Documents] = {}
_written: set[str] = set()
# The test process listens until it ends.
_to_the_end = ExitStack()


def take_back_what_tests_write() -> None:
    """From here on do so after each test, instead of emptying every collection. The database is migrated and open."""
    # Counters of keys go on, as sequences do.
    tables = set(connection.introspection.django_table_names(only_existing=True))
    for name in tables:
        _left_by_migrations[name] = list(_collection(name).find())

    def hear(write: str, collection: str) -> None:
        if collection in tables:
            _written.add(collection)

    _to_the_end.enter_context(watched_writes(before=hear, after=lambda write, collection: None))
    TransactionTestCase._fixture_teardown = _take_back  # type: ignore[attr-defined]
    # A test without `transaction=True` is one block that never ends well, as elsewhere: `on_commit` waits until asked for.
    TestCase._databases_support_transactions = classmethod(lambda case: True)  # type: ignore[attr-defined]
    TestCase._fixture_teardown = _end_and_take_back  # type: ignore[attr-defined]


_end = TestCase._fixture_teardown  # type: ignore[attr-defined]


def _end_and_take_back(test: TestCase) -> None:
    _end(test)
    _take_back(test)


def _take_back(test: TransactionTestCase) -> None:
    while _written:
        name = _written.pop()
        collection = _collection(name)
        collection.delete_many({})
        if documents := _left_by_migrations[name]:
            collection.insert_many(documents)
        # By this writing.
        _written.discard(name)


@contextmanager
def taken_back() -> Iterator[None]:
    """Have the database afterwards as it was before, whatever is written meanwhile."""
    before: dict[str, Documents] = {}

    def remember(write: str, collection: str) -> None:
        if connection.vendor == "mongodb" and collection not in before:
            before[collection] = list(_collection(collection).find())

    with transaction.atomic(), watched_writes(before=remember, after=lambda write, collection: None):
        yield
        transaction.set_rollback(True)
    for name, documents in before.items():
        _collection(name).delete_many({})
        if documents:
            _collection(name).insert_many(documents)


def _collection(name: str) -> Collection[dict[str, Any]]:
    # Of Django's connections MongoDB's alone has one.
    found: Collection[dict[str, Any]] = connection.database[name]  # type: ignore[attr-defined]
    return found
