"""The append-only list of what happened in a session."""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
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
    entry_id: UUID | None = None,
) -> None:
    """Append one entry: `kind`, done `by` somebody (None: by the system), `at` a moment in UTC (None: now).

    `entry_id`: the new entry's id, for what may be told twice; there already, the entry stays as it is.
    """
    try:
        with transaction.atomic():
            TimelineEntry.objects.create(
                pk=entry_id or uuid4(), session=session, kind=kind, by=by, note=note[:300], at=at or timezone.now()
            )
    except IntegrityError:
        if entry_id is None:
            raise
