"""What the backend asks of MongoDB for a query of Django's: as MongoDB's own, with integer keys and Django's errors."""

from typing import Any

from bson import Int64
from django.db.models import AutoField
from django_mongodb_backend import compiler

from hopps.mongodb import sequences
from hopps.mongodb.errors import in_djangos_words


class _DjangosErrors:
    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        with in_djangos_words():
            return super().execute_sql(*args, **kwargs)  # type: ignore[misc]

    def cursor_iter(self, *args: Any, **kwargs: Any) -> Any:
        with in_djangos_words():
            yield from super().cursor_iter(*args, **kwargs)  # type: ignore[misc]


class SQLCompiler(_DjangosErrors, compiler.SQLCompiler):  # type: ignore[misc]
    """Selects."""


class SQLDeleteCompiler(_DjangosErrors, compiler.SQLDeleteCompiler):  # type: ignore[misc]
    """Deletes."""


class SQLUpdateCompiler(_DjangosErrors, compiler.SQLUpdateCompiler):  # type: ignore[misc]
    """Updates."""


class SQLAggregateCompiler(_DjangosErrors, compiler.SQLAggregateCompiler):  # type: ignore[misc]
    """Counts and sums."""


class SQLInsertCompiler(_DjangosErrors, compiler.SQLInsertCompiler):  # type: ignore[misc]
    """Inserts: rows get their integer keys here, and each document is named by its row's key."""

    def insert(self, docs: list[dict[str, Any]], returning_fields: Any = None) -> list[tuple[Any, ...]]:
        """Write `docs`, a dict of columns each; return the values of `returning_fields`, row by row."""
        key = self.query.get_meta().pk
        if isinstance(key, AutoField):
            self._number(docs, key.column)
        for doc in docs:
            # One name for a row, here and in a copy of it; and MongoDB itself keeps it single, whatever becomes of indexes.
            doc["_id"] = doc[key.column]
        super().insert(docs)
        if not returning_fields:
            return []
        return [tuple(_as_read(doc[field.column]) for field in returning_fields) for doc in docs]

    def _number(self, docs: list[dict[str, Any]], column: Any) -> None:
        database = self.connection.database
        if brought := [int(doc[column]) for doc in docs if doc.get(column) is not None]:
            sequences.taken(database, table=self.collection_name, number=max(brought))
        without = [doc for doc in docs if doc.get(column) is None]
        if without:
            numbers = sequences.next_numbers(database, table=self.collection_name, column=column, count=len(without))
            for doc, number in zip(without, numbers, strict=True):
                doc[column] = Int64(number)


def _as_read(value: Any) -> Any:
    return int(value) if isinstance(value, Int64) else value
