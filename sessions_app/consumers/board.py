"""An expert's open board."""

import asyncio
from collections.abc import Collection

import msgspec
from django.utils import timezone

from accounts.experts import board_audience, set_availability
from accounts.models import User
from accounts.permissions import Do, may
from hopps.errors import Refused
from hopps.realtime.database import database_sync_to_async
from hopps.realtime.hub import hub
from hopps.realtime.messages import Error, Sync
from hopps.realtime.sockets import Socket
from hopps.realtime.together import Together
from sessions_app.attendance import boards_seen, leave_board
from sessions_app.boards import boards_of
from sessions_app.events import BoardMessage, SetAvailability

# Every open board of this process.
BOARDS = "boards"
# Every page asks twice a minute, in case it missed something. All who do are answered together, this often, in seconds.
SYNC_SECONDS = 0.5

boards = Together(boards_of)


def _seen(people: Collection[str]) -> dict[str, None]:
    boards_seen(people)
    return dict.fromkeys(people)


opened = Together(_seen)


class BoardSocket(Socket):
    """`/ws/board/`: the chime, and what is open now."""

    decoder = msgspec.json.Decoder(BoardMessage)

    def __init__(self) -> None:
        super().__init__()
        # Two changes at once must not leave this socket hearing what the first of them said.
        self._showing = asyncio.Lock()

    async def admit(self) -> bool:
        admitted: bool = await database_sync_to_async(may)(self.user, Do.USE_BOARD)
        return admitted

    @property
    def user(self) -> User:
        user: User = self.scope["user"]
        return user

    async def greet(self) -> None:
        await opened.ask(self.person_id)
        await self.show_state()

    async def show_state(self) -> None:
        """Send everything the board shows, and hear from then on what this expert is to hear: nothing is missed between."""
        async with self._showing, self.holding_back() as snapshot:
            board = await boards.ask(self.user.pk)
            while not self.is_listening_to(wanted := {BOARDS, board_audience(self.person_id), *board.chimes}):
                # What was read before it was heard may miss what came in between.
                self.listen_to(*wanted)
                board = await boards.ask(self.user.pk)
            snapshot.append(board.state)

    async def gone(self, code: int) -> None:
        if not any(isinstance(other, BoardSocket) and other.person_id == self.person_id for other in hub.sockets(BOARDS)):
            await database_sync_to_async(leave_board)(person=self.person_id, now=timezone.now())

    async def on_sync(self, message: Sync) -> None:
        self.later(self._show_state_with_others())

    async def _show_state_with_others(self) -> None:
        await asyncio.sleep(-asyncio.get_running_loop().time() % SYNC_SECONDS)
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
