"""Two databases, row by row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.models import Model

from hopps.rows.models import rows_by_key, stored_models
from hopps.rows.text import MICROSECOND, MILLISECOND, Row, row_of

# So many differences are told one by one; the rest is counted.
TOLD = 20


@dataclass
class Comparison:
    """What two databases have in common, and what not."""

    rows: int = 0
    differing: int = 0
    # The first of the differences, a sentence each.
    told: list[str] = field(default_factory=list)
    # Rows with a time that the coarser of the two does not keep in full.
    cut: int = 0

    def differs(self, words: str) -> None:
        """Write down one difference."""
        self.differing += 1
        if len(self.told) < TOLD:
            self.told.append(words)


def compare(source: str, target: str, *, say: Callable[[str], None]) -> Comparison:
    """Compare every row of two databases. Values are not told, for they are people's.

    Times are compared as the coarser of the two keeps them.

    Args:
        source: the database the rows must be as in.
        target: the other one.
        say: is told of each table.
    """
    vendors = {connections[source].vendor, connections[target].vendor}
    unit = MILLISECOND if "mongodb" in vendors else MICROSECOND
    found = Comparison()
    for model in stored_models():
        before = found.rows
        _compare_table(model, source, target, unit, found)
        if found.rows > before:
            say(f"compared {model._meta.label_lower}: {found.rows - before} rows")
    return found


def _compare_table(model: type[Model], source: str, target: str, unit: int, found: Comparison) -> None:
    ours, theirs = _keyed(model, source), _keyed(model, target)
    left, right = next(ours, None), next(theirs, None)
    name = model._meta.label_lower
    while left or right:
        if right is None or (left and left[0] < right[0]):
            assert left
            found.rows += 1
            found.differs(f"{name} {left[0]} is missing.")
            left = next(ours, None)
        elif left is None or right[0] < left[0]:
            found.differs(f"{name} {right[0]} is there, and not in the source.")
            right = next(theirs, None)
        else:
            found.rows += 1
            wanted, there = row_of(left[1], unit=unit), row_of(right[1], unit=unit)
            if wanted != there:
                found.differs(f"{name} {left[0]} differs in {', '.join(_columns(wanted, there))}.")
            elif unit == MILLISECOND and _is_cut(left[1]):
                found.cut += 1
            left, right = next(ours, None), next(theirs, None)


def _keyed(model: type[Model], using: str) -> Iterator[tuple[Any, Any]]:
    for batch in rows_by_key(model, using=using):
        for row in batch:
            yield row.pk, row


def _columns(wanted: Row, there: Row) -> list[str]:
    return sorted(name for name in wanted if wanted[name] != there[name])


def _is_cut(row: Any) -> bool:
    values = (field.value_from_object(row) for field in row._meta.concrete_fields)
    return any(getattr(value, "microsecond", 0) % MILLISECOND for value in values)
