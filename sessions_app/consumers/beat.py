"""Every few seconds, each server process writes the signs of life of its sockets: two UPDATEs, however many sockets."""

from datetime import timedelta

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from hopps.realtime.hub import hub
from sessions_app import attendance
from sessions_app.consumers.board import BOARDS, BoardSocket
from sessions_app.consumers.session import ROOMS, SessionSocket


async def beat() -> None:
    """Write when each page in a room was last heard, and which experts have a board open."""
    lately = timezone.now() - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)
    heard = {
        socket.attendance_id: socket.last_heard
        for socket in hub.sockets(ROOMS)
        if isinstance(socket, SessionSocket) and socket.attendance_id is not None
    }
    boards = {
        socket.person_id for socket in hub.sockets(BOARDS) if isinstance(socket, BoardSocket) and socket.last_heard > lately
    }
    if heard or boards:
        await database_sync_to_async(attendance.beat)(heard=heard, boards=boards)


hub.every(settings.PRESENCE_BEAT_SECONDS, beat)
