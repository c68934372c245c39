"""The append-only list of what happened in a session."""

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from sessions_app.models import HelpSession, TimelineEntry


def record(
    session: HelpSession,
    kind: TimelineEntry.Kind,
    *,
    by: User | None = None,
    note: str = "",
    at: datetime | None = None,
) -> None:
    """Append one entry: `kind`, done `by` somebody (None: by the system), `at` a moment in UTC (None: now)."""
    TimelineEntry.objects.create(session=session, kind=kind, by=by, note=note[:300], at=at or timezone.now())
