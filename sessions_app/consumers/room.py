"""A participant's page in the room: coming in and going out, until when it is there, and what carries its call."""

import contextlib
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from hopps.errors import Refused
from hopps.realtime.database import database_sync_to_async
from hopps.realtime.hub import hub
from hopps.realtime.messages import PONG, Error, Event
from hopps.realtime.sockets import GOODBYES, Socket
from sessions_app import attendance, chat, room
from sessions_app.events import Join, Moved, PeerJoined, PeerLeft, RenewVideo, VideoFailed, Welcome
from sessions_app.models import HelpSession
from sessions_app.video import reroute, rooms
from sessions_app.video.carrier import carrier_of

# Every page of this process that is in a room.
ROOMS = "rooms"
# Codes of a line that ended because its page did. A page that gives up a dead line and stays closes it without a code.
LEFT = frozenset({1000, 1001})
# Why a page's older line is closed.
REPLACED = 4409
# The reason to wake a person's pages in a room with: they came in from another, or by a new line.
CAME_IN = "came in"


class RoomSocket(Socket):
    """What a session's socket does about the room. `page` and `attendance_id` are set while its page is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.page: UUID | None = None
        self.attendance_id: UUID | None = None
        # Counted as gone since it was last heard; the next word brings it back.
        self._fell_silent = False
        self._coming_back = False
        # What carries the call, as the page was told.
        self._told_carrier: type[Event] | None = None

    @property
    def user(self) -> User:
        user: User = self.scope["user"]
        return user

    @property
    def session_id(self) -> UUID:
        session_id: UUID = self.scope["url_route"]["kwargs"]["session_id"]
        return session_id

    @property
    def audience(self) -> str:
        """Both participants' pages of this session."""
        return f"session:{self.session_id}"

    def _page_audience(self, page: UUID) -> str:
        # The session is part of the name: nobody can signal into another room.
        return f"session:{self.session_id}:page:{page}"

    @property
    def _person_audience(self) -> str:
        return f"session:{self.session_id}:person:{self.person_id}"

    async def on_wake(self, reason: str) -> None:
        if reason == reroute.CARRIER and self.page is not None:
            with contextlib.suppress(Refused):  # over meanwhile, as the page hears
                await self._show_room(self.page)
        elif reason == CAME_IN:
            await self._step_aside()

    async def gone(self, code: int) -> None:
        at = timezone.now() if code in GOODBYES else self._was_here_until()
        await self._leave_room(at=at, goodbye=code in LEFT)

    # --- presence ---

    def was_just_heard(self, now: datetime) -> bool:
        """Return whether the page spoke within its last two beats: at `now` (UTC) it is there."""
        return now - self.last_heard <= timedelta(seconds=2 * settings.PRESENCE_BEAT_SECONDS)

    def is_silent(self, now: datetime) -> bool:
        """Return whether nothing has been heard for so long that at `now` (UTC) nobody is taken to be there."""
        return now - self.last_heard > timedelta(seconds=settings.PRESENCE_SILENCE_SECONDS)

    def _was_here_until(self) -> datetime:
        """Return until when the page of a line that is lost was there.

        A loss that the network reports at once is a moment as good as a goodbye. A page that fell silent before was there
        until it was last heard, and no longer.
        """
        now = timezone.now()
        return now if self.was_just_heard(now) else self.last_heard

    def on_ping(self) -> None:
        if self.page is not None:
            self.push(PONG)
        self._heard_again()

    def _heard_again(self) -> None:
        if self._fell_silent and self.attendance_id is not None:
            self.later(self.come_back(self.attendance_id))

    async def fall_silent(self) -> None:
        """Count the page as gone since it was last heard. Its line is left open: it may be asleep, and come back by it."""
        page, attendance_id = self.page, self.attendance_id
        if page is None or attendance_id is None or self._fell_silent or not self.is_silent(timezone.now()):
            return
        self._fell_silent = True
        await self._tell_left(page, attendance_id, goodbye=False)
        await database_sync_to_async(room.go)(attendance_id=attendance_id, at=self.last_heard)

    # --- the room ---

    async def on_join(self, message: Join) -> None:
        if self.attendance_id is not None:
            self.tell(Error(message="This page is in the room already."))
            return
        asked_at = self.last_heard
        if not await self.may_stay():
            return
        if message.grant is None and await database_sync_to_async(self._moved_from)(message.page):
            # Its line was lost when the call moved, and it comes back by itself: the person is where they moved to.
            self.tell(Moved())
            return
        await self._take_over_from_lost_line(message.page)
        try:
            await self._enter(message, asked_at)
            await self._show_room(message.page)
        except Exception as problem:
            # A page that was not told how to reach the other side shows the door again: nobody is in by it.
            await self._leave_room(at=self._was_here_until())
            if not isinstance(problem, Refused):
                raise
            self.tell(Error(message=problem.sentence))
            return
        hub.wake_now(self._person_audience, CAME_IN)
        await database_sync_to_async(room.entered)(session_id=self.session_id)

    def _moved_from(self, page: UUID) -> bool:
        return attendance.is_there_with_another(session_id=self.session_id, person=self.user, page=page, now=timezone.now())

    async def _enter(self, message: Join, asked_at: datetime) -> None:
        if await database_sync_to_async(rooms.is_missing)(self.session_id):
            # The service may take seconds: not on the thread that all sockets of the process share.
            await database_sync_to_async(reroute.have_room, thread_sensitive=False)(self.session_id)
            # Waiting for it is not being there.
            asked_at = timezone.now()
        stretch = await database_sync_to_async(room.enter)(
            session_id=self.session_id, person=self.user, page=message.page, token=message.grant, at=asked_at
        )
        self.page, self.attendance_id, self._fell_silent = message.page, stretch.pk, False
        self.listen_to(self.audience, self._person_audience, self._page_audience(message.page), ROOMS)

    async def _take_over_from_lost_line(self, page: UUID) -> None:
        """Let go of the line this same page had before, which nobody has noticed yet is dead."""
        for other in hub.sockets(self._page_audience(page)):
            if isinstance(other, RoomSocket) and other is not self and other.person_id == self.person_id:
                await other.give_way()

    async def _step_aside(self) -> bool:
        """Leave the room to the page with which the same person came in since, if there is one; return whether there was.

        The database says who came last: of two that come in at once exactly one stays, and a word that is late, or was
        lost on the way from another process, does no harm.
        """
        attendance_id = self.attendance_id
        if attendance_id is None:
            return False
        newer = await database_sync_to_async(attendance.came_in_since)(attendance_id)
        if newer is None or self.attendance_id != attendance_id:
            return False
        if newer == self.page:
            await self.give_way()
        else:
            self.tell(Moved())
            await self._leave_room(at=self._was_here_until())
        return True

    async def give_way(self) -> None:
        """The page has a new line: this one ends, and with it the stretch of presence it stands for."""
        await self._leave_room(at=self._was_here_until())
        await self.dismiss(REPLACED)

    async def _show_room(self, page: UUID) -> None:
        """Tell the page what carries the call and who is there; and the other side of the page, which is met anew.

        Raises:
            Refused: the room is not open any more.
        """
        await self._tell_carrier()
        await self._introduce(page)

    async def _introduce(self, page: UUID) -> None:
        self.tell(await database_sync_to_async(self._welcome)())
        self._publish(PeerJoined(page=page))

    async def come_back(self, closed: UUID) -> None:
        """Enter again: the page is alive, but was silent for so long that its presence `closed` was closed."""
        if self._coming_back:
            return
        self._coming_back = True
        try:
            await self._come_back(closed)
        finally:
            self._coming_back = False

    async def _come_back(self, closed: UUID) -> None:
        page, heard_at = self.page, self.last_heard
        if page is None or self.attendance_id != closed or not await self.may_stay() or await self._step_aside():
            return
        if self.attendance_id != closed:
            # It left, or gave way to the page's next line, while the database was asked.
            return
        try:
            stretch = await database_sync_to_async(room.enter)(
                session_id=self.session_id, person=self.user, page=page, token=None, at=heard_at
            )
        except Refused:
            await self._leave_room(at=self.last_heard)
            return
        if self.attendance_id == closed:
            self.attendance_id = stretch.pk
            self._fell_silent = False
            self._publish(PeerJoined(page=page))
            await database_sync_to_async(room.entered)(session_id=self.session_id)
        else:
            # It left in between, and knew of the old presence only.
            await database_sync_to_async(room.go)(attendance_id=stretch.pk, at=self.last_heard)

    async def on_renew_video(self, message: RenewVideo) -> None:
        if self.page is None:
            self.tell(Error(message="Join the call first."))
        elif await self.may_stay():
            await self._renew_carrier()

    async def on_video_failed(self, message: VideoFailed) -> None:
        if self.page is None:
            self.tell(Error(message="Join the call first."))
            return
        if not await self.may_stay():
            return
        try:
            missed_it = await database_sync_to_async(reroute.cannot_reach)(
                session_id=self.session_id, person=self.user, reason=message.reason
            )
        except Refused as refusal:
            self.tell(Error(message=refusal.sentence))
            return
        if missed_it:
            await self._renew_carrier()

    async def _renew_carrier(self) -> None:
        """Give the page fresh credentials. Where it never heard that the call was rerouted, the two meet anew."""
        try:
            is_another = await self._tell_carrier()
        except Refused as refusal:
            self.tell(Error(message=refusal.sentence))
            return
        if is_another and self.page is not None:
            await self._introduce(self.page)

    async def _tell_carrier(self) -> bool:
        """Tell the page what carries the call; return whether it was told of another carrier before. Raises Refused."""
        carrier = await database_sync_to_async(self._carrier)()
        before, self._told_carrier = self._told_carrier, type(carrier)
        self.tell(carrier)
        return before not in (None, type(carrier))

    def _carrier(self) -> Event:
        return carrier_of(HelpSession.objects.get(pk=self.session_id), self.user)

    def _welcome(self) -> Welcome:
        session = HelpSession.objects.get(pk=self.session_id)
        return Welcome(
            peers=attendance.pages_of_other(session, self.user, timezone.now()),
            chat=chat.lines_of(session),
            beat_seconds=settings.PRESENCE_BEAT_SECONDS,
        )

    async def _leave_room(self, *, at: datetime, goodbye: bool = False) -> None:
        if self.attendance_id is None or self.page is None:
            return
        page, attendance_id, gone_already = self.page, self.attendance_id, self._fell_silent
        self.page = self.attendance_id = None
        self._fell_silent = False
        self.listen_to(self.audience)
        if gone_already:
            # Since it was last heard. That its line ends only now does not mean that anybody was there meanwhile.
            return
        await self._tell_left(page, attendance_id, goodbye=goodbye)
        await database_sync_to_async(room.go)(attendance_id=attendance_id, at=at)

    async def _tell_left(self, page: UUID, attendance_id: UUID, *, goodbye: bool) -> None:
        """Tell the other side that the page is gone; not where only this line of it is, and it has another already."""
        if await database_sync_to_async(attendance.came_in_since)(attendance_id) != page:
            self._publish(PeerLeft(page=page, goodbye=goodbye))

    def _publish(self, event: Event) -> None:
        """Tell the other side's pages."""
        hub.publish_now(self.audience, event, exclude=[self.person_id])
