"""All we have about a person, for them to take away: as one JSON document, or as tables in a zip.

Each app adds the tables it knows (`register`; imports run down). A table is read row by row: a long history needs no memory.
What no table may hold: passwords, keys and tokens, and what is another person's or an operator's alone.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO
from uuid import UUID

from django.utils import timezone

from accounts import photos
from accounts.models import User
from hopps.csv_files import write_csv

Row = Sequence[object]

ABOUT = (
    "All that Hopps has about you. Times are UTC. Amounts are in minor units of their currency: 200 with USD is 2 dollars. "
    "Files you sent are on the pages of their sessions."
)


@dataclass(frozen=True)
class Table:
    """A part of what we have about a person.

    Attributes:
        name: what it is called in the document, and its file in the zip.
        columns: what a row holds, in order.
        rows: reads it for one person. Times are UTC; money is in minor units, with its currency.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[User], Iterable[Row]]


_tables: dict[str, Table] = {}


def register(tables: Iterable[Table]) -> None:
    """Add what an app has about people. To call when it is ready."""
    _tables.update({table.name: table for table in tables})


def write_json(user: User, file: IO[bytes]) -> None:
    """Write all there is about `user` into `file`, as one JSON document."""
    out = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    out.write(f'{{"made_at": {json.dumps(_plain(timezone.now()))},\n"about": {json.dumps(ABOUT)}')
    for table in _tables.values():
        out.write(f",\n{json.dumps(table.name)}: [")
        for number, row in enumerate(table.rows(user)):
            named = dict(zip(table.columns, map(_plain, row), strict=True))
            out.write((",\n" if number else "\n") + json.dumps(named, ensure_ascii=False))
        out.write("]")
    out.write("}\n")
    out.detach()


def write_zip(user: User, file: IO[bytes]) -> None:
    """Write all there is about `user` into `file`, as a zip of CSV files, with the photo."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", ABOUT + "\n")
        for table in _tables.values():
            with archive.open(f"{table.name}.csv", "w") as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as out:
                write_csv(out, [table.columns])
                write_csv(out, (tuple(map(_plain, row)) for row in table.rows(user)))
        photo = photos.photo_of(user)
        if photo is not None:
            try:
                archive.writestr("photo.webp", photos.read(photo))
            except FileNotFoundError:
                archive.writestr("photo.txt", "Your photo could not be found.\n")


def _plain(value: object) -> str | int | float | bool | None:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"A table holds no {type(value).__name__}.")
