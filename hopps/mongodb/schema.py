"""Collections and indexes for Django's tables and constraints."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pymongo
from django.db import NotSupportedError
from django.db.models import Index, Model
from django.db.models.lookups import IsNull
from django_mongodb_backend.schema import DatabaseSchemaEditor as MongoSchemaEditor
from pymongo import IndexModel

from hopps.mongodb import sequences


class DatabaseSchemaEditor(MongoSchemaEditor):  # type: ignore[misc]
    """The backend's, with counters that go with their tables, and unique indexes that queries can use."""

    def __enter__(self) -> Any:
        # A migration takes the time it takes; the address's timeoutMS is for pages.
        self._limits = ExitStack()
        self._limits.enter_context(pymongo.timeout(None))
        return super().__enter__()

    def __exit__(self, *problem: Any) -> None:
        with self._limits:
            super().__exit__(*problem)

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        """Rename a collection."""
        super().alter_db_table(model, old_db_table, new_db_table)
        if old_db_table != new_db_table:
            sequences.rename(self.connection.database, old=old_db_table, new=new_db_table)

    def delete_model(self, model: type[Model], **kwargs: Any) -> None:
        """Drop a collection."""
        super().delete_model(model, **kwargs)
        sequences.forget(self.connection.database, table=model._meta.db_table)

    def add_index(self, model: type[Model], index: Index, *, unique: bool = False, **kwargs: Any) -> None:
        """Make an index.

        The backend's unique ones leave out whatever is not of the column's type, as SQL leaves out null. MongoDB then cannot
        use them to find a row: for a column that is never null there is nothing to leave out.
        """
        super().add_index(model, _FullIndex(index) if unique else index, unique=unique, **kwargs)


class _FullIndex:
    """An index without the conditions on types that its columns fulfil anyway."""

    def __init__(self, index: Index) -> None:
        self.name = index.name
        self._index: Any = index

    def get_pymongo_index_model(self, model: type[Model], *, field: Any = None, **kwargs: Any) -> IndexModel:
        made = self._index.get_pymongo_index_model(model, field=field, **kwargs)
        fields: list[Any] = [field] if field else [model._meta.get_field(name) for name, _ in self._index.fields_orders]
        never_null = {column.column for column in fields if not column.null}
        document = dict(made.document)
        keys, name = document.pop("key"), document.pop("name")
        condition = {
            column: _without_type(wanted) if column in never_null else wanted
            for column, wanted in document.pop("partialFilterExpression", {}).items()
        }
        condition = {column: wanted for column, wanted in condition.items() if wanted != {}}
        if condition:
            document["partialFilterExpression"] = condition
        return IndexModel(list(keys.items()), name=name, **document)


def _without_type(wanted: Any) -> Any:
    if not isinstance(wanted, Mapping):
        return wanted
    return {operator: value for operator, value in wanted.items() if operator != "$type"}


def _is_null_in_an_index(self: IsNull, compiler: Any, connection: Any) -> dict[str, Any]:
    if not self.rhs:
        raise NotSupportedError("MongoDB has no condition for indexes that says a column is not null.")
    return {self.lhs.target.column: {"$eq": None}}


# The backend knows comparisons in the condition of a constraint, and not this one: `Q(ended_at=None)`.
IsNull.as_mql_idx = _is_null_in_an_index  # type: ignore[attr-defined]
