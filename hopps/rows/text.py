"""A row as one line of text: the same bytes on every database."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

MILLISECOND = 1000
MICROSECOND = 1
TIMESPEC = {MILLISECOND: "milliseconds", MICROSECOND: "microseconds"}
# A row by its columns, each value as JSON has it.
Row = Mapping[str, Any]


def row_of(row: Model, *, unit: int = MILLISECOND) -> Row:
    """Return a row's columns with plain values.

    Args:
        row: read from any database.
        unit: to how many microseconds times are cut; MongoDB keeps milliseconds.
    """
    return {field.attname: plain(field.value_from_object(row), unit=unit) for field in row._meta.concrete_fields}


def line_of(label: str, row: Row) -> bytes:
    """Return a row as a line: the table's name, then its columns as JSON in order of their names."""
    return f"{label} {json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(',', ':'))}\n".encode()


def plain(value: Any, *, unit: int = MILLISECOND) -> Any:
    """Return `value` as JSON has it, in the one way it is written. Raises TypeError for what has none."""
    match value:
        case None | bool() | str():
            return str(value) if isinstance(value, str) else value
        case int():
            return int(value)
        case float():
            # Some databases do not keep 1.0 and 1 apart.
            return int(value) if value.is_integer() else value
        case UUID():
            return str(value)
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value
            cut = moment.replace(microsecond=moment.microsecond // unit * unit, tzinfo=None)
            return f"{cut.isoformat(timespec=TIMESPEC[unit])}Z"
        case date():
            return value.isoformat()
        case time():
            return value.replace(microsecond=value.microsecond // unit * unit).isoformat(timespec=TIMESPEC[unit])
        case timedelta():
            return value // timedelta(microseconds=unit) * unit
        case Decimal():
            return f"{value.normalize():f}"
        case bytes() | memoryview():
            return b64encode(bytes(value)).decode()
        case list() | tuple():
            return [plain(part, unit=unit) for part in value]
        case Mapping():
            return {str(name): plain(part, unit=unit) for name, part in value.items()}
    raise TypeError(f"A value of {type(value).__name__} cannot be exported.")
