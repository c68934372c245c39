"""An expert's open board."""

import asyncio

import msgspec
from channels.db import database_sync_to_async
from django.utils import timezone

from accounts.experts import board_audience, set_availability
from accounts.models import ExpertProfile, User
from hopps.errors import Refused
from hopps.realtime.hub import hub
from hopps.realtime.messages import Error, Sync
from hopps.realtime.sockets import Socket
from sessions_app.attendance import boards_seen, leave_board
from sessions_app.events import BoardMessage, BoardState, SetAvailability
from sessions_app.matching import (
    approved_topic_ids,
    as_open_request,
    is_busy,
    live_session_of,
    personal_audience,
    requests_for,
    topic_audience,
)

# Every open board of this process.
BOARDS = "boards"


class BoardSocket(Socket):
    """`/ws/board/`: the chime, and what is open now."""

    decoder = msgspec.json.Decoder(BoardMessage)

    def __init__(self) -> None:
        super().__init__()
        # Two changes at once must not leave this socket hearing what the first of them said.
        self._showing = asyncio.Lock()

    async def admit(self) -> bool:
        admitted: bool = await database_sync_to_async(self._is_expert)()
        return admitted

    def _is_expert(self) -> bool:
        return ExpertProfile.objects.filter(user=self.user).exists()

    @property
    def user(self) -> User:
        user: User = self.scope["user"]
        return user

    async def greet(self) -> None:
        await database_sync_to_async(boards_seen)([self.person_id])
        await self.show_state()

    async def show_state(self) -> None:
        """Hear what this expert is to hear now, then send everything the board shows: in this order nothing is missed."""
        async with self._showing:
            chimes = await database_sync_to_async(self._chimes_to_hear)()
            self.listen_to(BOARDS, board_audience(self.person_id), *chimes)
            async with self.holding_back() as snapshot:
                snapshot.append(await database_sync_to_async(self._state)())

    def _chimes_to_hear(self) -> list[str]:
        listening = ExpertProfile.objects.available().filter(user=self.user).exists() and not is_busy(self.user)
        if not listening:
            return []
        return [personal_audience(self.person_id), *map(topic_audience, approved_topic_ids(self.user))]

    def _state(self) -> BoardState:
        expert = ExpertProfile.objects.approved().filter(user=self.user).first()
        busy_with = live_session_of(self.user)
        listening = expert is not None and expert.is_listening and busy_with is None
        return BoardState(
            available=expert is not None and expert.available,
            requests=[as_open_request(session) for session in requests_for(self.user)] if listening else [],
            session=busy_with.pk if busy_with else None,
            quiet_until=expert.quiet_until if expert is not None and expert.is_quiet else None,
        )

    async def gone(self, code: int) -> None:
        if not any(isinstance(other, BoardSocket) and other.person_id == self.person_id for other in hub.sockets(BOARDS)):
            await database_sync_to_async(leave_board)(person=self.person_id, now=timezone.now())

    async def on_sync(self, message: Sync) -> None:
        await self.show_state()

    async def on_set_availability(self, message: SetAvailability) -> None:
        try:
            await database_sync_to_async(set_availability)(user=self.user, available=message.available)
        except Refused as refusal:
            self.tell(Error(message=refusal.sentence))

    async def on_wake(self, reason: str) -> None:
        await self.show_state()

    async def catch_up(self) -> None:
        await self.show_state()
