"""Which tables there are, and their rows in the order of their keys."""

from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model, QuerySet

# Rows read, and written, at a time.
BATCH = 500
# Kinds of keys that every database puts in the same order.
ORDERED_ALIKE = {"AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "UUIDField"}


def stored_models(registry: Apps = apps) -> list[type[Model]]:
    """Return every model that has a table, other people's too, those that are referred to first.

    Raises:
        graphlib.CycleError: two tables refer to each other.
    """
    found = [
        model for model in registry.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]
    found.sort(key=lambda model: model._meta.label_lower)
    by_label = {model._meta.label_lower: model for model in found}
    needs = {label: _refers_to(model) & by_label.keys() for label, model in by_label.items()}
    return [by_label[label] for label in TopologicalSorter(needs).static_order()]


def models_as_migrated(using: str) -> list[type[Model]]:
    """Return the models as the migrations applied to this database describe them; the release that runs may know others."""
    if not is_behind(using):
        return stored_models()
    return stored_models(_historical(frozenset(_applied(using) & _on_disk().graph.nodes.keys())))


def is_behind(using: str) -> bool:
    """Return whether this release has migrations that the database has not had."""
    return bool(_on_disk().graph.nodes.keys() - _applied(using))


def applied_migrations(using: str) -> list[str]:
    """Return the migrations this database has had, such as `billing.0001_initial`, in order of their names."""
    return sorted(f"{app}.{name}" for app, name in _applied(using))


def unknown_migrations(using: str) -> list[str]:
    """Return the migrations this database has had that this release does not know, in order of their names."""
    known = known_migrations()
    return [name for name in applied_migrations(using) if name not in known]


def known_migrations() -> set[str]:
    """Return the migrations that this release has."""
    return {f"{app}.{name}" for app, name in _on_disk().disk_migrations}


def _applied(using: str) -> set[tuple[str, str]]:
    return set(MigrationRecorder(connections[using]).applied_migrations())


@cache
def _on_disk() -> MigrationLoader:
    return MigrationLoader(None)


@cache
def _historical(applied: frozenset[tuple[str, str]]) -> Apps:
    graph = _on_disk().graph
    ends = [node for node in applied if not any(child.key in applied for child in graph.node_map[node].children)]
    return _on_disk().project_state(ends).apps


def rows_by_key(model: type[Model], *, using: str, after: Any = None) -> Iterator[list[Any]]:
    """Yield all rows of a table in batches of at most BATCH, in an order of keys that is the same on every database.

    Args:
        model: whose rows.
        using: the database.
        after: a key; rows up to it are left out.
    """
    rows: QuerySet[Any] = QuerySet(model, using=using)
    if _key_kind(model) in ORDERED_ALIKE:
        while True:
            later = rows if after is None else rows.filter(pk__gt=after)
            batch = list(later.order_by("pk")[:BATCH])
            if batch:
                yield batch
                after = batch[-1].pk
            if len(batch) < BATCH:
                return
    # Text is put in order by rules of each database's own.
    keys = sorted(key for key in rows.order_by().values_list("pk", flat=True) if after is None or key > after)
    for start in range(0, len(keys), BATCH):
        yield sorted(rows.filter(pk__in=keys[start : start + BATCH]), key=lambda row: row.pk)


def _refers_to(model: type[Model]) -> set[str]:
    targets = {field.remote_field.model._meta.label_lower for field in model._meta.concrete_fields if field.remote_field}
    return targets - {model._meta.label_lower}


def _key_kind(model: type[Model]) -> str:
    field: Any = model._meta.pk
    while field.remote_field:
        field = field.target_field
    return str(field.get_internal_type())
