"""Every few seconds, each server process writes the signs of life of its sockets: three queries, however many sockets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from hopps.realtime.hub import hub
from sessions_app import attendance
from sessions_app.consumers.board import BOARDS, BoardSocket
from sessions_app.consumers.session import ROOMS, SessionSocket
from sessions_app.models import Attendance


async def beat() -> None:
    """Write when each page in a room was last heard, and which experts have a board open.

    A page that was taken for gone and is heard again comes back into the room by itself.
    """
    lately = timezone.now() - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)
    in_rooms = {
        socket.attendance_id: socket
        for socket in hub.sockets(ROOMS)
        if isinstance(socket, SessionSocket) and socket.attendance_id is not None
    }
    boards = {
        socket.person_id for socket in hub.sockets(BOARDS) if isinstance(socket, BoardSocket) and socket.last_heard > lately
    }
    if not in_rooms and not boards:
        return
    heard = {attendance_id: socket.last_heard for attendance_id, socket in in_rooms.items()}
    for closed in await database_sync_to_async(_write)(heard, boards):
        if in_rooms[closed].last_heard > lately:
            in_rooms[closed].later(in_rooms[closed].come_back(closed))


def _write(heard: Mapping[UUID, datetime], boards: set[str]) -> list[UUID]:
    """Write the signs of life; return the attendances among them that are closed: by the sweep, while they were silent."""
    attendance.beat(heard=heard, boards=boards)
    closed = Attendance.objects.filter(pk__in=list(heard), left_at__isnull=False)
    return list(closed.values_list("pk", flat=True))


hub.every(settings.PRESENCE_BEAT_SECONDS, beat)
