"""The shared notes over the session's socket: who may write, what comes back, what bad edits and a died process do."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Topic, User
from hopps.errors import Refused
from sessions_app import end, notes
from sessions_app.models import HelpSession, NotesEdit, SharedNotes
from tests.people import make_accepted, make_active
from tests.sessions_app.sockets import Page, admitted, page_of, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_active(alice, eve, topic, seconds=60)


async def read(page: Page, since: int | None = None) -> dict[str, Any]:
    await page.say(type="read_notes", since=since, text=True)
    return await page.hear("notes_text", "error")


async def write(page: Page, base: int, *change: int | str) -> dict[str, Any]:
    await page.say(type="edit_notes", id=uuid4(), base=base, change=change)
    return await page.hear("notes_edited", "notes_refused", "error")


def test_both_see_what_either_writes_and_who_wrote_last(session: HelpSession, alice: User, eve: User) -> None:
    alices, eves = page_of(session, alice), page_of(session, eve)

    async def journey() -> None:
        for page in (alices, eves):
            await page.open()
            assert await read(page) == {"type": "notes_text", "revision": 0, "body": "", "missed": [], "last": None}
        await write(alices, 0, "Use an index.")
        # Eve has not heard of it yet when she writes.
        await write(eves, 0, "Notes: ")
        assert (await eves.hear("notes_edited"))["change"] == [13, "Notes: "]
        told = await read(eves, since=1)
        assert (told["revision"], told["body"]) == (2, "Use an index.Notes: ")
        assert [edit["revision"] for edit in told["missed"]] == [2]
        assert told["last"]["name"] == "Eve"
        for page in (alices, eves):
            await page.close()

    run(journey)


def test_an_edit_sent_again_is_kept_once_and_told_again(session: HelpSession, alice: User, eve: User) -> None:
    alices, eves = page_of(session, alice), page_of(session, eve)
    edit = {"type": "edit_notes", "id": uuid4(), "base": 0, "change": ["once"]}

    async def journey() -> None:
        for page in (alices, eves):
            await page.open()
        await alices.say(**edit)
        first = await alices.hear("notes_edited")
        await write(eves, 1, 4, " more")
        await alices.hear("notes_edited")
        await alices.say(**edit)
        again = await alices.hear("notes_edited")
        # To the millisecond, which each database keeps.
        for told in (first, again):
            told["edited_at"] = told["edited_at"][:23]
        assert again == first
        await eves.say(**edit)
        assert "could not be kept" in (await eves.hear("notes_refused"))["message"]
        for page in (alices, eves):
            await page.close()

    run(journey)
    assert notes.body_of(session) == "once more"


def test_edits_that_fit_nothing_get_a_sentence_and_the_socket_stays(session: HelpSession, alice: User) -> None:
    page = page_of(session, alice)
    unfit: list[tuple[int, list[Any]]] = [
        (0, []), (0, [0]), (0, [5]), (0, [-1]), (0, ["a", 1]), (0, [2**70]), (0, ["a\0"]), (0, ["a\r"]), (7, ["a"]),
        (2**62, ["a"]),
    ]  # fmt: skip
    unreadable: list[dict[str, Any]] = [
        {"base": -1, "change": ["a"]}, {"base": 0, "change": [True]}, {"base": 0, "change": [1.5]}, {"base": 0},
        {"base": 0, "change": "a"}, {"base": 0, "change": [["a"]]}, {"base": 0, "change": ["a"], "id": "x"},
        {"base": 0, "change": ["a" * 70_000]},
    ]  # fmt: skip

    async def journey() -> None:
        await page.open()
        for base, change in unfit:
            assert "does not fit" in (await write(page, base, *change))["message"], change
        for message in unreadable:
            await page.say(type="edit_notes", **{"id": uuid4(), **message})
            assert (await page.hear("error"))["message"], message
        await page.socket.send_to(text_data=f'{{"type":"edit_notes","id":"{uuid4()}","base":0,"change":["\\ud83d"]}}')
        assert (await page.hear("error", "notes_refused"))["message"]
        assert (await write(page, 0, "still here"))["type"] == "notes_edited"
        await page.close()

    run(journey)
    assert notes.body_of(session) == "still here"


def test_a_stranger_has_no_way_to_the_notes(session: HelpSession, bob: User, erin: User) -> None:
    pages = [page_of(session, person) for person in (bob, erin, None)]

    async def journey() -> None:
        assert not any([await admitted(page) for page in pages])

    run(journey)


def test_after_the_end_the_notes_can_be_read_and_not_written_to(session: HelpSession, alice: User, eve: User) -> None:
    page = page_of(session, alice)

    async def journey() -> None:
        await page.open()
        await write(page, 0, "kept")
        await sync_to_async(end.end)(session=session, by=eve)
        assert "is over" in (await write(page, 1, 4, " and more"))["message"]
        assert (await read(page))["body"] == "kept"
        await page.close()

    run(journey)
    assert notes.body_of(session) == "kept"


def test_full_notes_take_no_more_and_can_be_made_shorter(session: HelpSession, alice: User) -> None:
    def edit(*steps: int | str) -> None:
        notes.edit(session=session, author=alice, edit_id=uuid4(), base=NotesEdit.objects.count(), steps=steps)

    edit("x" * notes.LONGEST)
    with pytest.raises(Refused, match="did not fit and was not kept: notes hold 100,000 characters"):
        edit(notes.LONGEST, "y")
    edit(-1, notes.LONGEST - 1)
    edit(notes.LONGEST - 1, "y")
    assert notes.body_of(session) == "x" * (notes.LONGEST - 1) + "y"


def test_who_is_far_behind_gets_the_text_and_not_every_edit_of_hours(
    session: HelpSession, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(base: int, *steps: int | str) -> None:
        notes.edit(session=session, author=alice, edit_id=uuid4(), base=base, steps=steps)

    monkeypatch.setattr(notes, "WAY_BACK", 3)
    edit(0, "0")
    for number in range(1, 5):
        edit(number, number, str(number))
    far = notes.state_of(session, since=1, text=False)
    assert (far.revision, far.body, far.missed) == (5, "01234", [])
    near = notes.state_of(session, since=2, text=False)
    assert (near.body, [missed.revision for missed in near.missed]) == (None, [3, 4, 5])
    with pytest.raises(Refused, match="does not fit"):
        edit(1, 1, "!")
    edit(2, 2, "!")
    assert notes.body_of(session) == "01234!"


def test_an_edit_in_the_log_is_in_the_text_though_the_process_died_in_between(
    session: HelpSession, alice: User, eve: User
) -> None:
    for number, person in enumerate((alice, eve, alice)):
        steps: list[int | str] = [number, str(number)] if number else ["0"]
        notes.edit(session=session, author=person, edit_id=uuid4(), base=number, steps=steps)
    # As if it had died after writing down edit 2 of 3: the text is behind.
    SharedNotes.objects.update(revision=1, body="0")
    assert notes.body_of(session) == "012"
    SharedNotes.objects.update(revision=1, body="0")
    notes.edit(session=session, author=eve, edit_id=uuid4(), base=3, steps=[3, "3"])
    kept = SharedNotes.objects.get()
    assert (kept.revision, kept.body) == (4, "0123")


def test_notes_of_a_session_nobody_wrote_in_are_empty_and_make_no_row(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    assert notes.body_of(session) == ""
    assert notes.state_of(session, since=0, text=True).body == ""
    assert not SharedNotes.objects.exists()
