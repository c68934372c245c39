"""The engine's connection."""

import os
from collections.abc import Callable
from typing import Any

import pymongo
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django_mongodb_backend.base import DatabaseWrapper as MongoWrapper
from django_mongodb_backend.features import DatabaseFeatures as MongoFeatures
from django_mongodb_backend.validation import DatabaseValidation as MongoValidation
from pymongo.errors import PyMongoError
from pymongo.mongo_client import MongoClient

from hopps.mongodb import lookups
from hopps.mongodb.errors import in_djangos_words
from hopps.mongodb.operations import AUTO_FIELDS, DatabaseOperations
from hopps.mongodb.schema import DatabaseSchemaEditor


class DatabaseValidation(MongoValidation):  # type: ignore[misc]
    """Lets integer keys be: we count them (`sequences`)."""

    prohibited_fields: frozenset[str] = frozenset()


class DatabaseFeatures(MongoFeatures):  # type: ignore[misc]
    """What this engine does that the backend does not."""

    # In name: what fails in one leaves the block around it as it was.
    uses_savepoints = True
    supports_table_check_constraints = True


class DatabaseWrapper(MongoWrapper):  # type: ignore[misc]
    """MongoDB's own backend, with integer keys, Django's errors, and a connection of its own in every process.

    `transaction.atomic` takes nothing back here. What `on_commit` is given waits for its end all the same, as on other
    databases, so that nothing is told or begun before the last write of a block.
    """

    ops_class = DatabaseOperations
    features_class = DatabaseFeatures
    validation_class = DatabaseValidation
    SchemaEditorClass = DatabaseSchemaEditor
    run_commit_hooks_on_set_autocommit_on: bool
    data_types = {**MongoWrapper.data_types, **dict.fromkeys(AUTO_FIELDS, "long")}

    def connect(self) -> None:
        """Connect.

        Raises:
            OperationalError: no server was reached in time, or it did not let us in.
        """
        with in_djangos_words():
            super().connect()

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        """Call `func` when the outermost `atomic` ends well; at once where there is none."""
        BaseDatabaseWrapper.on_commit(self, func, robust)

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Begin or end an outermost `atomic`."""
        self.autocommit = autocommit
        if autocommit and self.run_commit_hooks_on_set_autocommit_on:
            self.run_commit_hooks_on_set_autocommit_on = False
            self.run_and_clear_commit_hooks()

    def _savepoint(self, sid: str) -> None:
        """Begin an inner `atomic`: its `on_commit` calls are forgotten where it fails."""

    def _savepoint_commit(self, sid: str) -> None:
        """End one well."""

    def _savepoint_rollback(self, sid: str) -> None:
        """End one that failed. Its writes stay."""

    def get_database_version(self) -> tuple[int, ...]:
        """Return the server's version, asked for once a process: every thread would, before its first query."""
        if self.connection not in _versions:
            _versions[self.connection] = super().get_database_version()
        return _versions[self.connection]

    def is_usable(self) -> bool:
        """Ask the server for a sign of life; return whether it gave one within 2 s."""
        try:
            with pymongo.timeout(2):
                self.database.command("ping")
        except (PyMongoError, OperationalError):
            return False
        return True


_versions: dict[MongoClient[Any], tuple[int, ...]] = {}
# A client's threads and sockets are its process's: a child that used or closed them would cut its parent's talk short.
_parents: list[MongoClient[Any]] = []


def _forked() -> None:
    """Begin anew in a child process, at the first query."""
    _parents.extend(MongoWrapper._connection_pools.values())
    MongoWrapper._connection_pools.clear()
    for connection in connections.all(initialized_only=True):
        if isinstance(connection, DatabaseWrapper):
            connection.connection = None
            connection.__dict__.pop("database", None)
            connection.session = None


lookups.register()
os.register_at_fork(after_in_child=_forked)
