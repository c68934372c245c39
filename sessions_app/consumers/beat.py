"""Each server process writes the signs of life of its sockets: a query or two, however many sockets."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from hopps.realtime.database import database_sync_to_async
from hopps.realtime.hub import hub
from sessions_app import attendance
from sessions_app.consumers.board import BOARDS, BoardSocket
from sessions_app.consumers.room import ROOMS, RoomSocket


async def beat() -> None:
    """Write who is in a room now; whoever has been silent for too long is not.

    A page that was taken for gone and is heard again comes back into the room by itself.
    """
    now = timezone.now()
    here: dict[object, RoomSocket] = {}
    for socket in hub.sockets(ROOMS):
        if not isinstance(socket, RoomSocket) or socket.attendance_id is None:
            continue
        if socket.was_just_heard(now):
            here[socket.attendance_id] = socket
        elif socket.is_silent(now):
            socket.later(socket.fall_silent())
    if not here:
        return
    for closed in await database_sync_to_async(attendance.seen)(list(here), at=now):
        here[closed].later(here[closed].come_back(closed))


async def beat_boards() -> None:
    """Write which experts have a board open."""
    lately = timezone.now() - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)
    boards = {
        socket.person_id for socket in hub.sockets(BOARDS) if isinstance(socket, BoardSocket) and socket.last_heard > lately
    }
    if boards:
        await database_sync_to_async(attendance.boards_seen)(boards)


hub.every(settings.PRESENCE_BEAT_SECONDS, beat)
hub.every(settings.BOARD_BEAT_SECONDS, beat_boards)
