"""Both sockets and every message on them against every kind of person: one table.

Alice is in a session with Eve; Erin is an expert of the same topic; Bob is another customer; Olga owns the site, Sam and
Mona are operators, Nora is one in no group. Frank was suspended, and Grace deleted her account; both were signed in before.
"""

from typing import Any, NamedTuple, get_args
from uuid import uuid4

import pytest

from accounts import erasing, suspending
from accounts.models import Topic, User
from hopps.realtime.messages import Message
from sessions_app.events import BoardMessage, SessionMessage
from sessions_app.models import HelpSession
from tests.people import make_active, make_expert
from tests.sessions_app.sockets import Page, admitted, board, page_of, run

pytestmark = pytest.mark.django_db(transaction=True)

EXPERTS = {"eve", "erin"}
THE_TWO = {"alice", "eve"}


class Row(NamedTuple):
    """A message as a page sends it before it has joined the call, and the event it gets for it; none where it is ""."""

    socket: str
    message: dict[str, Any]
    answer: str


TABLE = [
    Row("board", {"type": "set_availability", "available": True}, "board_state"),
    Row("board", {"type": "sync"}, "board_state"),
    Row("board", {"type": "ping"}, ""),
    Row("session", {"type": "sync"}, "session_changed"),
    Row("session", {"type": "ping"}, ""),
    # Without a grant nobody gets into a call, and without being in it nobody says or gets anything of it.
    Row("session", {"type": "join", "page": str(uuid4()), "grant": None}, "error"),
    Row("session", {"type": "signal", "to": str(uuid4()), "data": {}}, "error"),
    Row("session", {"type": "media", "microphone": True, "camera": True, "screen": False}, "error"),
    Row("session", {"type": "media_flowing"}, "error"),
    Row("session", {"type": "renew_video"}, "error"),
    Row("session", {"type": "video_failed", "reason": "No."}, "error"),
    Row("session", {"type": "typing"}, ""),
    # What is kept of the session is its two people's, in the call or not.
    Row("session", {"type": "chat", "id": str(uuid4()), "body": "Words"}, "chat_line"),
    Row("session", {"type": "edit_notes", "id": str(uuid4()), "base": 0, "change": ["Words"]}, "notes_edited"),
    Row("session", {"type": "read_notes", "since": None, "text": True}, "notes_text"),
]


def test_no_message_is_missing_from_the_table() -> None:
    def tags(union: Any) -> set[str]:
        kinds: tuple[type[Message], ...] = get_args(union)
        return {str(kind.__struct_config__.tag) for kind in kinds}

    for socket, union in (("board", BoardMessage), ("session", SessionMessage)):
        assert {row.message["type"] for row in TABLE if row.socket == socket} == tags(union)


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_active(alice, eve, topic, seconds=100)


@pytest.fixture
def pages(
    session: HelpSession,
    alice: User,
    bob: User,
    eve: User,
    erin: User,
    olga: User,
    sam: User,
    mona: User,
    nora: User,
    topic: Topic,
) -> dict[tuple[str, str], Page]:
    """Return a page of each socket for each kind of person, not opened yet."""
    frank, grace = (make_expert(f"{name}@example.org", name.title(), topic) for name in ("frank", "grace"))
    people = {
        "visitor": None, "alice": alice, "bob": bob, "eve": eve, "erin": erin, "olga": olga, "sam": sam, "mona": mona,
        "nora": nora, "frank": frank, "grace": grace,
    }  # fmt: skip
    made = {("board", name): board(person) for name, person in people.items()}
    made |= {("session", name): page_of(session, person) for name, person in people.items()}
    suspending.suspend(user=frank, by=olga, reason="Rude.")
    erasing.erase(user=grace)
    return made


def test_each_socket_is_for_whom_it_is_meant(pages: dict[tuple[str, str], Page]) -> None:
    async def journey() -> None:
        let_in = {name for name, page in pages.items() if await admitted(page)}
        assert let_in == {("board", name) for name in EXPERTS} | {("session", name) for name in THE_TWO}

    run(journey)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.socket}-{row.message['type']}")
def test_each_message_gets_what_the_table_says_from_whoever_may_send_it(
    row: Row, pages: dict[tuple[str, str], Page]
) -> None:
    async def journey() -> None:
        for name in EXPERTS if row.socket == "board" else THE_TWO:
            page = pages[row.socket, name]
            await page.open()
            await page.hear("board_state", "clock")
            # An id is one line's or edit's.
            ids = {"id": str(uuid4())} if "id" in row.message else {}
            await page.say(**row.message | ids)
            # Answers come in order, and this has one for sure.
            await page.say(type="sync")
            state = "board_state" if row.socket == "board" else "session_changed"
            assert (await page.hear(state, row.answer or state, "error"))["type"] == (row.answer or state)
            await page.close()

    run(journey)
