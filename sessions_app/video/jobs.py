"""The jobs that ask the video service: a socket's thread is shared by all sockets of the process, and it may take seconds.

Each is a hint. Who joins makes a room that is missing, and the sweep ends one that is left.
"""

from uuid import UUID

from huey.contrib.djhuey import db_task

# Seconds after the service did not answer, doubling.
FIRST_RETRY, OPEN_TRIES, CLOSE_TRIES = 2, 3, 5


@db_task(retries=OPEN_TRIES, retry_delay=FIRST_RETRY, retry_backoff=2)  # type: ignore[untyped-decorator]  # huey has no types
def open_room(session_id: str) -> None:
    """Make an accepted session's room."""
    from sessions_app.video import rooms  # late: it sets this very job

    rooms.open_room(UUID(session_id))


@db_task(retries=CLOSE_TRIES, retry_delay=FIRST_RETRY, retry_backoff=2)  # type: ignore[untyped-decorator]
def close_room(name: str) -> None:
    """End a room."""
    from sessions_app.video import rooms

    rooms.close_room(name)
