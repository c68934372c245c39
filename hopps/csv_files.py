"""Tables people take away as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return `rows` as CSV. Text of people's own must have been through `safe`."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def csv_response(rows: Iterable[Sequence[object]], *, name: str) -> HttpResponse:
    """Answer with `rows` as a file called `name`.

    Whole: one person's lines are kilobytes, and a server of the asynchronous kind gathers what is written bit by bit anyway.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8", headers=headers)
