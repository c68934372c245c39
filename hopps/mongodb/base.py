"""The engine's connection."""

import os
from typing import Any

import pymongo
from django.db import OperationalError, connections
from django_mongodb_backend.base import DatabaseWrapper as MongoWrapper
from django_mongodb_backend.validation import DatabaseValidation as MongoValidation
from pymongo.errors import PyMongoError
from pymongo.mongo_client import MongoClient

from hopps.mongodb.errors import in_djangos_words
from hopps.mongodb.operations import AUTO_FIELDS, DatabaseOperations
from hopps.mongodb.schema import DatabaseSchemaEditor


class DatabaseValidation(MongoValidation):  # type: ignore[misc]
    """Lets integer keys be: we count them (`sequences`)."""

    prohibited_fields: frozenset[str] = frozenset()


class DatabaseWrapper(MongoWrapper):  # type: ignore[misc]
    """MongoDB's own backend, with integer keys, Django's errors, and a connection of its own in every process."""

    ops_class = DatabaseOperations
    validation_class = DatabaseValidation
    SchemaEditorClass = DatabaseSchemaEditor
    data_types = {**MongoWrapper.data_types, **dict.fromkeys(AUTO_FIELDS, "long")}

    def connect(self) -> None:
        """Connect.

        Raises:
            OperationalError: no server was reached in time, or it did not let us in.
        """
        with in_djangos_words():
            super().connect()

    def is_usable(self) -> bool:
        """Ask the server for a sign of life; return whether it gave one within 2 s."""
        try:
            with pymongo.timeout(2):
                self.database.command("ping")
        except (PyMongoError, OperationalError):
            return False
        return True


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


os.register_at_fork(after_in_child=_forked)
