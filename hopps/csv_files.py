"""Tables people take away as CSV."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from django.http import StreamingHttpResponse


class _Line:
    """What csv.writer writes to: hands each line on instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def write_csv(out: IO[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows into a file, each text in them made `safe`."""
    writer = csv.writer(out)
    writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def csv_response(rows: Iterable[Sequence[object]], *, name: str) -> StreamingHttpResponse:
    """Answer with a file called `name`, written row by row. Text of people's own must have been through `safe`."""
    writer = csv.writer(_Line())
    lines: Iterator[str] = (writer.writerow(row) for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
