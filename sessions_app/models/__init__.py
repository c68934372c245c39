"""Help sessions, what happened in them, and what came of them."""

from sessions_app.models.afterwards import (
    Case,
    PersonReport,
    Rating,
    Watch,
)
from sessions_app.models.presence import (
    Attendance,
    Pause,
)
from sessions_app.models.room import (
    ChatFile,
    ChatMessage,
    NotesEdit,
    SharedNotes,
    VideoEvent,
)
from sessions_app.models.sessions import (
    LIVE_STATES,
    OPEN_STATES,
    OVER_STATES,
    HelpSession,
    HelpSessionQuerySet,
    State,
    Video,
    people_of,
)
from sessions_app.models.timeline import (
    AppendOnly,
    Exclusion,
    TimelineEntry,
)

__all__ = [
    "LIVE_STATES",
    "OPEN_STATES",
    "OVER_STATES",
    "AppendOnly",
    "Attendance",
    "Case",
    "ChatFile",
    "ChatMessage",
    "Exclusion",
    "HelpSession",
    "HelpSessionQuerySet",
    "NotesEdit",
    "Pause",
    "PersonReport",
    "Rating",
    "SharedNotes",
    "State",
    "TimelineEntry",
    "Video",
    "VideoEvent",
    "Watch",
    "people_of",
]
