"""Tables people take away as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO

from django.http import HttpResponse


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def write_csv(out: IO[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows into a file, each text in them made `safe`."""
    writer = csv.writer(out)
    writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def csv_response(rows: Iterable[Sequence[object]], *, name: str) -> HttpResponse:
    """Answer with `rows` as a file called `name`. Text of people's own must have been through `safe`.

    Whole: one person's lines are kilobytes, and a server of the asynchronous kind gathers what is written bit by bit anyway.
    """
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
