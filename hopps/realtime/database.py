"""The database from a socket's code: on the one thread all sockets of a process share, over a connection that stays open."""

import time
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connections

KEPT_SECONDS = 60.0


class database_sync_to_async(SyncToAsync[Any, Any]):  # noqa: N801  as Channels' own, whose place it takes
    """Channels' `database_sync_to_async`, with a connection that is not opened anew for each call.

    Channels closes it after each, as Django's settings ask for where every request has a thread of its own; with a page's
    few small questions, opening it (and asking a pool's whether it still works) costs more than the asking. A connection
    that failed, or is old, is closed and opened anew.

    Work on another thread (`thread_sensitive=False`) gives its connection back: such threads are many, seldom used, and may
    end, and a connection that ended with its thread would be missing from the pool for good.
    """

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        close_what_is_over()
        try:
            return super().thread_handler(loop, *args, **kwargs)  # type: ignore[no-untyped-call]
        finally:
            if self._thread_sensitive:
                keep_open()
            close_what_is_over()


def close_what_is_over() -> None:
    """Close this thread's connections that failed or are old.

    Django's `close_old_connections` would have each asked once more whether it works before it is next used; here one that
    does not work is found by the question itself, which fails once.
    """
    now = time.monotonic()
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred or (connection.close_at is not None and connection.close_at <= now):
            connection.close_if_unusable_or_obsolete()


def keep_open() -> None:
    """Let this thread's new connections, which would be closed when they are next looked at, stay for KEPT_SECONDS."""
    now = time.monotonic()
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.close_at is not None and connection.close_at <= now:
            connection.close_at = now + KEPT_SECONDS
