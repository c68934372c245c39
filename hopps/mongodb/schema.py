"""Collections, indexes and checks for Django's tables and constraints."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pymongo
from django.db import IntegrityError
from django.db.models import CheckConstraint, Index, Model, Q
from django.db.models.constraints import BaseConstraint
from django.db.models.sql import Query
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

    def create_model(self, model: type[Model]) -> None:
        """Make a collection, its indexes and its checks."""
        super().create_model(model)
        self._check(model)

    def add_constraint(self, model: type[Model], constraint: BaseConstraint, **kwargs: Any) -> None:
        """Make an index for a unique constraint; have the server check each document for a check constraint.

        Raises:
            IntegrityError: a row that is there already breaks it, as other databases say too; the check is not made.
        """
        super().add_constraint(model, constraint, **kwargs)
        if isinstance(constraint, CheckConstraint):
            self._check(model, adding=constraint)
            self._look_back(model, constraint)

    def remove_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        """Drop what `add_constraint` made."""
        super().remove_constraint(model, constraint)
        if isinstance(constraint, CheckConstraint):
            self._check(model, removing=constraint)

    def _alter_field(self, model: type[Model], old_field: Any, new_field: Any, *args: Any, **kwargs: Any) -> None:
        super()._alter_field(model, old_field, new_field, *args, **kwargs)
        if old_field.column != new_field.column:
            self._check(new_field.model)

    def _look_back(self, model: type[Model], check: CheckConstraint) -> None:
        """Look at the rows there are: the server looks at what is written, and would take none of them from a backup."""
        collection = self.connection.database[model._meta.db_table]
        broken = collection.find_one({"$expr": {"$not": [self._holds(model, check)]}}, {"_id": 1})
        if broken is not None:
            self._check(model, removing=check)
            raise IntegrityError(f"{check.name} does not hold for {model._meta.label_lower} {broken['_id']}.")

    def _check(
        self, model: type[Model], *, adding: CheckConstraint | None = None, removing: CheckConstraint | None = None
    ) -> None:
        """Have the server check what `model` says; it keeps all checks of a collection in one."""
        checks = {item.name: item for item in model._meta.constraints if isinstance(item, CheckConstraint)}
        if not checks and adding is None and removing is None:
            return
        if adding is not None:
            checks[adding.name] = adding
        if removing is not None:
            checks.pop(removing.name, None)
        validator = {"$expr": {"$and": [self._holds(model, item) for item in checks.values()]}} if checks else {}
        self.connection.database.command("collMod", model._meta.db_table, validator=validator)

    def _holds(self, model: type[Model], check: CheckConstraint) -> Any:
        """Return what MongoDB evaluates; as in SQL, what is said of null is not said to be wrong."""
        query = Query(model=model, alias_cols=False)
        condition: Any = check.condition
        where: Any = query.build_where(condition)
        holds = where.as_mql(query.get_compiler(connection=self.connection), self.connection, as_expr=True)
        asked_of: list[Any] = [model._meta.get_field(name) for name in Q(condition).referenced_base_fields]
        unknown = [{"$eq": [{"$ifNull": [f"${column.column}", None]}, None]} for column in asked_of if column.null]
        return {"$or": [*unknown, holds]} if unknown else holds

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
