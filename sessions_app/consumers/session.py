"""A participant's page of one help session: its state, what the two pages tell each other, chat and notes."""

import contextlib

import msgspec
from django.utils import timezone

from accounts.permissions import Do, may
from hopps import limits
from hopps.errors import Refused
from hopps.limits import Limit
from hopps.realtime.database import database_sync_to_async
from hopps.realtime.hub import hub
from hopps.realtime.messages import Error, Event, Sync
from sessions_app import attendance, chat, live, notes, room
from sessions_app.consumers.room import RoomSocket
from sessions_app.events import (
    Chat,
    ChatRefused,
    EditNotes,
    Media,
    MediaFlowing,
    MediaState,
    NotesRefused,
    NotesText,
    OtherTypes,
    PeerJoined,
    ReadNotes,
    SessionMessage,
    Signal,
    SignalFrom,
    Typing,
)
from sessions_app.models import HelpSession


class SessionSocket(RoomSocket):
    """`/ws/sessions/<uuid>/`: state and clock for both sides; presence, chat and signalling once in the room."""

    decoder = msgspec.json.Decoder(SessionMessage)

    async def admit(self) -> bool:
        admitted: bool = await database_sync_to_async(self._takes_part)()
        return admitted

    def _takes_part(self) -> bool:
        session = HelpSession.objects.filter(pk=self.session_id).first()
        return session is not None and may(self.user, Do.TAKE_PART, session)

    async def greet(self) -> None:
        self.listen_to(self.audience)
        await self._show_state()

    async def on_sync(self, message: Sync) -> None:
        await self._step_aside()
        await self._show_state()

    async def catch_up(self) -> None:
        if await self._step_aside():
            return
        await self._show_state()
        if self.page is not None:
            # As when it came in: what carries the call, the chat; and the page asks where the notes stand.
            with contextlib.suppress(Refused):  # over meanwhile, as the page hears
                await self._show_room(self.page)

    async def _show_state(self) -> None:
        async with self.holding_back() as snapshot:
            snapshot += await database_sync_to_async(self._state)()

    def _state(self) -> list[Event]:
        session = HelpSession.objects.with_people().get(pk=self.session_id)
        now = timezone.now()
        # A page in the call meets the other again: the word of its coming may have been lost between two processes.
        others = attendance.pages_of_other(session, self.user, now) if self.page is not None else []
        return [
            live.state_of(session),
            attendance.presence(session, now),
            attendance.clock(session, now),
            *(PeerJoined(page=page) for page in others),
        ]

    async def on_wake(self, reason: str) -> None:
        if reason != "people":
            await super().on_wake(reason)
        elif not await database_sync_to_async(self._takes_part)():
            await self._show_state()
            await self.dismiss()

    # --- in the room ---

    async def on_signal(self, message: Signal) -> None:
        if self.page is None:
            self.tell(Error(message="Join the call first."))
            return
        event = SignalFrom(page=self.page, data=message.data)
        hub.publish_now(self._page_audience(message.to), event)

    async def on_media(self, message: Media) -> None:
        if self.page is None:
            self.tell(Error(message="Join the call first."))
            return
        self._publish(MediaState(page=self.page, **msgspec.structs.asdict(message)))

    async def on_media_flowing(self, message: MediaFlowing) -> None:
        attendance_id = self.attendance_id
        if attendance_id is None:
            self.tell(Error(message="Join the call first."))
            return
        await database_sync_to_async(room.media_flows)(attendance_id=attendance_id, at=timezone.now())

    async def on_chat(self, message: Chat) -> None:
        if "\0" in message.body:
            # PostgreSQL keeps no such text.
            sentence = "This line contains a character that cannot be kept. Take it out and send it again."
            self.tell(ChatRefused(id=message.id, message=sentence))
            return
        if not await self.may_stay():
            return
        try:
            await database_sync_to_async(self._say)(message)
        except Refused as refusal:
            self.tell(ChatRefused(id=message.id, message=refusal.sentence))

    async def on_typing(self, message: Typing) -> None:
        if self.page is not None:
            self._publish(OtherTypes())

    def _say(self, message: Chat) -> None:
        limits.spend(Limit.CHAT, person=self.person_id, address=self.address)
        session = HelpSession.objects.get(pk=self.session_id)
        chat.say(session=session, author=self.user, message_id=message.id, body=message.body)

    async def on_edit_notes(self, message: EditNotes) -> None:
        if not await self.may_stay():
            return
        try:
            await database_sync_to_async(self._edit_notes)(message)
        except Refused as refusal:
            self.tell(NotesRefused(id=message.id, message=refusal.sentence))

    def _edit_notes(self, message: EditNotes) -> None:
        session = HelpSession.objects.get(pk=self.session_id)
        notes.edit(session=session, author=self.user, edit_id=message.id, base=message.base, steps=message.change)

    async def on_read_notes(self, message: ReadNotes) -> None:
        if await self.may_stay():
            self.tell(await database_sync_to_async(self._notes)(message))

    def _notes(self, message: ReadNotes) -> NotesText:
        return notes.state_of(HelpSession.objects.get(pk=self.session_id), since=message.since, text=message.text)
