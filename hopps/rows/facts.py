"""What is in a database: how many rows, a checksum of each table, and sums that must come out right."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import IO

import msgspec
from django.db.models import Model

from hopps.rows.models import models_as_migrated, rows_by_key
from hopps.rows.text import Row, line_of, row_of

# What one row adds to which sums, by their names.
Addends = Callable[[Row], Iterable[tuple[str, int]]]

_sums: dict[str, Addends] = {}


class Table(msgspec.Struct, frozen=True):
    """One table: its rows, the SHA-256 of their text, and the columns that are in it."""

    rows: int
    sha256: str
    columns: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True):
    """All tables by their names, such as `billing.posting`, and the sums by theirs."""

    tables: dict[str, Table]
    sums: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for table in self.tables.values())


def add_up(label: str, addends: Addends) -> None:
    """Let every backup and every copy compare sums over a table. For an app to call when it is ready.

    Args:
        label: the table, such as `billing.posting`.
        addends: what a row adds to which sums.
    """
    _sums[label] = addends


def facts_of(using: str, *, told: Facts | None = None) -> Facts:
    """Return what is in the database, by reading all of it.

    Args:
        using: the database.
        told: look at the tables and columns of these facts alone: who wrote them may have known fewer than are there now, as
            a release that was rolled back to does, whose database has had the newer one's migrations.
    """
    tables: dict[str, Table] = {}
    sums: Counter[str] = Counter()
    for model in _in_order(using):
        label = model._meta.label_lower
        if told is not None and label not in told.tables:
            continue
        columns = tuple(sorted(field.attname for field in model._meta.concrete_fields))
        if told is not None:
            columns = tuple(name for name in columns if name in told.tables[label].columns)
        digest, count, addends = hashlib.sha256(), 0, _sums.get(label)
        for whole in _rows(model, using):
            row = {name: whole[name] for name in columns}
            digest.update(line_of(label, row))
            count += 1
            for name, amount in addends(row) if addends else ():
                sums[name] += amount
        tables[label] = Table(count, digest.hexdigest(), columns)
    return Facts(tables, dict(sorted(sums.items())))


def export_rows(using: str, out: IO[bytes]) -> int:
    """Write all rows as text: the same bytes for the same rows, whatever the database. Return how many there are."""
    count = 0
    for model in _in_order(using):
        for row in _rows(model, using):
            out.write(line_of(model._meta.label_lower, row))
            count += 1
    return count


def differences(told: Facts, found: Facts, *, leave_out: Iterable[str] = ()) -> list[str]:
    """Return in words where `found` is not what was `told`; empty when all agrees.

    Args:
        told: what there must be.
        found: what there is.
        leave_out: tables that need not agree, nor the sums over them.
    """
    ignored = set(leave_out)
    words: list[str] = []
    for label in sorted((told.tables.keys() | found.tables.keys()) - ignored):
        nothing = Table(0, "")
        before, after = told.tables.get(label, nothing), found.tables.get(label, nothing)
        if before.rows != after.rows:
            words.append(f"{label} has {after.rows} rows, not {before.rows}.")
        elif before.rows and before.sha256 != after.sha256:
            words.append(f"{label} has {after.rows} rows as it should, with other contents.")
    if not ignored & _sums.keys():
        words += [
            f"The sum {name} is {found.sums.get(name, 0)}, not {told.sums.get(name, 0)}."
            for name in sorted(told.sums.keys() | found.sums.keys())
            if told.sums.get(name, 0) != found.sums.get(name, 0)
        ]
    return words


def _in_order(using: str) -> list[type[Model]]:
    return sorted(models_as_migrated(using), key=lambda model: model._meta.label_lower)


def _rows(model: type[Model], using: str) -> Iterator[Row]:
    for batch in rows_by_key(model, using=using):
        for row in batch:
            yield row_of(row)
