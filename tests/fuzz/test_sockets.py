"""Every message of both sockets, with wrong types, huge values, left out and additional fields, and other people's ids.

FUZZ_SEED=… sends the same again, FUZZ_EXAMPLES=… more of it (for each message, default 12).
"""

import json
from functools import partial
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hopps.realtime.messages import Message
from sessions_app.events import BoardMessage, SessionMessage
from tests.fuzz.scene import MARKS, Scene, set_the_scene
from tests.fuzz.test_posts import EXAMPLES, SEED
from tests.sessions_app.sockets import Page, board, page_of, run

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES: list[tuple[str, type[Message]]] = [
    *(("board", kind) for kind in get_args(BoardMessage)),
    *(("session", kind) for kind in get_args(SessionMessage)),
]
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.uuids().map(str),
    st.sampled_from(["", "\0", "9" * 400, "a" * 5000, "2026-02-30", "\ud7ff", -1, 2**70, 1e308]),
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)


@st.composite
def _texts(draw: st.DrawFn, kind: type[Message], ids: list[str]) -> str:
    """A message of `kind` as it goes over the line: right in some fields and wrong in others, or no message at all."""
    how = draw(st.sampled_from(["fields", "fields", "fields", "fields", "not JSON", "another type"]))
    if how == "not JSON":
        return draw(st.text(min_size=1, max_size=60) | st.sampled_from(["{", "[" * 2000, '{"type":', "\ud7ff", "null", "1"]))
    sent: dict[str, Any] = {"type": kind.__struct_config__.tag}
    if how == "another type":
        sent["type"] = draw(_VALUES)
    for field in msgspec.structs.fields(kind):
        match draw(st.sampled_from(["right", "right", "right", "id", "any", "left out"])):
            case "right":
                sent[field.encode_name] = draw(_right(field.type))
            case "id":
                sent[field.encode_name] = draw(st.sampled_from(ids))
            case "any":
                sent[field.encode_name] = draw(_VALUES)
    if draw(st.integers(0, 4)) == 0:
        sent[draw(st.sampled_from(["person", "session", "is_staff", "é"]))] = draw(_VALUES)
    return json.dumps(sent, default=str)


def _right(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of the type a field has."""
    if kind is UUID:
        return st.uuids().map(str)
    if kind is bool:
        return st.booleans()
    if kind is int or get_args(kind)[:1] == (int,):
        return st.integers(0, 5)
    if kind is str or get_args(kind)[:1] == (str,):
        return st.text(min_size=1, max_size=40)
    if kind == list[int | str]:
        return st.lists(st.integers(-9, 9) | st.text(max_size=5), max_size=5)
    return _VALUES


@pytest.fixture
def scene() -> Scene:
    return set_the_scene()


@pytest.mark.parametrize(("socket", "kind"), MESSAGES, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_whatever_is_said_nobody_elses_call_hears_or_loses_anything(
    socket: str, kind: type[Message], scene: Scene, record_property: Any
) -> None:
    ids = [str(one) for name in ("session_id", "file_id", "pk", "person_id") for one in scene.ids[name]]
    said = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(texts=st.lists(_texts(kind, ids), min_size=4, max_size=4))
    def say(texts: list[str]) -> None:
        nonlocal said
        said += len(texts)
        run(partial(_in_the_other_call, scene, socket, texts))

    before = scene.rows_of(scene.private)
    say()
    assert scene.rows_of(scene.private) == before
    record_property("fuzz messages", said)
    record_property("fuzz seed", SEED)


async def _in_the_other_call(scene: Scene, socket: str, texts: list[str]) -> None:
    """Erin, in a call of her own, sends `texts` beside Alice and Eve, who hear nothing of it; her line goes on working."""
    erin, alice = scene.people["erin"], scene.people["alice"]
    private = await sync_to_async(page_of)(scene.private, alice)
    mine = await sync_to_async(lambda: board(erin) if socket == "board" else page_of(scene.other, erin))()
    await private.open()
    await private.hear("clock")
    await mine.open()
    for text in texts:
        await mine.socket.send_to(text_data=text)
    answers = await _until_synced(mine)
    heard = await _until_synced(private)
    assert not [mark for mark in MARKS for answer in answers if mark in answer], answers
    assert all(json.loads(event)["type"] in ("session_changed", "clock", "presence") for event in heard), heard
    for page in (mine, private):
        await page.close()


async def _until_synced(page: Page) -> list[str]:
    """Ask for the state, which is answered whatever was said before; return all that was heard until then."""
    heard: list[str] = []
    await page.say(type="sync")
    while True:
        text = await page.socket.receive_from(timeout=20)
        heard.append(text)
        if json.loads(text)["type"] in ("clock", "board_state"):
            return heard
