"""The one event that is measured: what an expert's board gets when a request is opened, about 550 bytes."""

import datetime
from uuid import UUID

from sessions_app.events import OpenRequest, RequestOpened

_AT = datetime.datetime(2026, 11, 23, 16, 45, 53, 123456, tzinfo=datetime.UTC)
_DETAILS = (
    "Since I added an index on (tenant_id, created_at) the planner picks it for every listing, and a page that took 40 ms "
    "takes 6 s. EXPLAIN shows it reading a third of the table. ANALYZE did not help. A nightly report needs the index."
)


def chime(mark: str) -> RequestOpened:
    """Return the event; `mark` tells one round's from another's."""
    return RequestOpened(
        request=OpenRequest(
            id=UUID("0193f7a2-7c1e-7b2a-9d1a-3f5b6c7d8e9f"),
            title=f"Postgres query suddenly slow after adding an index {mark}",
            details=_DETAILS,
            topic="Engineering / Python",
            price="$2.00/min",
            customer="Dana",
            cap_minutes=30,
            requested_at=_AT,
            expires_at=_AT + datetime.timedelta(minutes=10),
            asked_first=False,
        )
    )
