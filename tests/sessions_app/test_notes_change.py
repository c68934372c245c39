"""Whatever two people write at once, whatever the line does: both have the same text, and nothing is lost or doubled."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from accounts.models import Topic, User
from sessions_app import notes
from sessions_app.models import HelpSession, NotesEdit
from sessions_app.notes_change import Change, NotAChange, apply, read, rebase
from tests.people import make_active
from tests.sessions_app.notes_pages import Page, Room, Scripts, scripts
from tests.taking_back import taken_back

__all__ = ["scripts"]

# With letters a browser counts as two.
TEXTS = st.text(alphabet="abc\n é😀𝄞", max_size=12)
OFTEN = settings(deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def changes_of(draw: st.DrawFn, text: str) -> Change:
    """Return a change of `text`."""
    steps: list[int | str] = []
    left = len(text)
    while left:
        steps.append(draw(TEXTS))
        number = draw(st.integers(1, left))
        steps.append(number if draw(st.booleans()) else -number)
        left -= number
    steps.append(draw(TEXTS))
    try:
        return read(steps)
    except NotAChange:
        assume(False)
        raise


@given(data=st.data())
@OFTEN
def test_in_either_order_two_changes_make_the_same_text_in_python_and_in_the_page(
    scripts: Scripts, data: st.DataObject
) -> None:
    text = data.draw(TEXTS)
    first, second = data.draw(changes_of(text)), data.draw(changes_of(text))
    first_stands_first = data.draw(st.booleans())
    fitted = rebase(second, first, done_stands_first=first_stands_first)
    server = apply(apply(text, first), fitted)
    other_way = scripts.call("rebase", first, second, not first_stands_first)
    assert scripts.call("rebase", second, first, first_stands_first) == fitted
    assert apply(apply(text, second), other_way) == server
    assert scripts.call("apply", scripts.call("apply", text, second), other_way) == server


@given(data=st.data())
@OFTEN
def test_the_page_finds_joins_parts_and_takes_back_changes(scripts: Scripts, data: st.DataObject) -> None:
    before, after = data.draw(TEXTS), data.draw(TEXTS)
    found = scripts.call("difference", before, after)
    assert apply(before, found) == after
    later = data.draw(changes_of(after))
    both = scripts.call("joined", found, later)
    assert apply(before, both) == apply(after, later)
    assert apply(after, scripts.call("reverse", before, found)) == before
    now, rest = scripts.call("parted", both, data.draw(st.integers(1, 30)))
    assert apply(apply(before, now), rest or [len(apply(before, now))] * bool(apply(before, now))) == apply(after, later)


@given(data=st.data())
@OFTEN
def test_on_the_way_in_pieces_a_text_is_never_longer_than_before_and_after(scripts: Scripts, data: st.DataObject) -> None:
    before = data.draw(TEXTS)
    rest = change = data.draw(changes_of(before))
    text, after, most = before, apply(before, change), data.draw(st.integers(11, 60))
    while rest:
        now, rest = scripts.call("parted", rest, most)
        text = apply(text, read(now))
        assert len(text) <= max(len(before), len(after))
    assert text == after


def test_a_typed_letter_is_found_where_the_caret_stands(scripts: Scripts) -> None:
    assert scripts.call("difference", "aaa", "aaaa", 2) == [1, "a", 2]
    assert scripts.call("difference", "aaa", "aa", 1) == [1, -1, 1]
    # Of two smileys that share their first half, all is put in.
    assert scripts.call("difference", "😀", "😁", 2) == ["😁", -1]


def test_the_caret_stays_at_its_word(scripts: Scripts) -> None:
    assert scripts.call("moved", "one two", 4, ["zero ", 7]) == 9
    assert scripts.call("moved", "one two", 4, [4, "and ", 3]) == 4
    assert scripts.call("moved", "one two", 6, [2, -4, 1]) == 2
    assert scripts.call("moved", "😀 two", 3, [1, -1, 3]) == 2


@pytest.mark.parametrize(
    "steps", [[], [3], [0], [""], [1, "", 2], ["a\0"], ["a\rb"]], ids=["none", "keep", "zero", "blank", "same", "nul", "cr"]
)  # fmt: skip
def test_what_changes_nothing_or_cannot_be_kept_is_no_change(steps: Change) -> None:
    with pytest.raises(NotAChange):
        read(steps)


@pytest.mark.parametrize("change", [["a"], [2, "a"], [4, "a"], [-4], [10**30, "a"]])
def test_a_change_of_another_text_is_noticed(change: Change) -> None:
    with pytest.raises(NotAChange):
        apply("abc", change)
    with pytest.raises(NotAChange):
        rebase(change, [1, -1, 1], done_stands_first=True)


class Letters:
    """Letters of which there is one each, so that one lost or doubled is seen; every third is two halves to a browser."""

    def __init__(self) -> None:
        self._next = 0
        self.written: set[str] = set()
        self.cut: set[str] = set()

    def some(self, count: int) -> str:
        text = ""
        for _ in range(count):
            self._next += 1
            text += chr((0x1F300 if self._next % 3 == 0 else 0x4E00) + self._next)
        self.written.update(text)
        return text


# What happens, to which of the two, where, how many letters are taken out and put in.
Happening = tuple[str, int, int, int, int]


def happenings(*more: str) -> st.SearchStrategy[list[Happening]]:
    """Return what happens to two pages and their lines, and now and then one of `more`."""
    common = ["write"] * 4 + ["serve"] * 4 + ["hear"] * 4 + ["late", "cut", "cut after arriving"]
    few = st.integers(0, 3)
    return st.lists(
        st.tuples(st.sampled_from([*common, *more]), st.integers(0, 1), st.integers(0, 30), few, few), max_size=60
    )


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_active(alice, eve, topic, seconds=60)


def room_of(session: HelpSession, scripts: Scripts) -> Room:
    assert session.expert is not None
    pages = [
        Page(scripts, "one", session.customer, is_customer=True),
        Page(scripts, "two", session.expert, is_customer=False),
    ]
    for page in pages:
        page.open()
    room = Room(session, pages)
    room.let_everything_arrive()
    return room


def happens(room: Room, letters: Letters, happening: Happening) -> None:
    """Let one thing happen that may happen to any page."""
    what, who, at, cut, put = happening
    page = room.pages[who]
    if what == "write" and page.can_write:
        at %= len(page.text) + 1
        letters.cut.update(page.text[at : at + cut])
        page.type(at, cut, letters.some(put))
    elif what == "serve" and page.to_server:
        room.serve(page, page.to_server)
    elif what == "hear" and page.to_page:
        page.hear()
    elif what == "late" and page.late:
        room.serve(page, page.late)
    elif what in ("cut", "cut after arriving"):
        page.lose_the_line(arrived=what != "cut")
        page.come_back()


@given(way=happenings("reload", "ask"))
@settings(OFTEN, max_examples=150)
def test_whatever_happens_on_the_way_nothing_is_lost_or_doubled(
    session: HelpSession, scripts: Scripts, way: list[Happening]
) -> None:
    with taken_back():
        room, letters = room_of(session, scripts), Letters()
        for happening in way:
            what, who, at, *_ = happening
            page = room.pages[who]
            if what == "reload":
                page.lose_the_line(arrived=bool(at % 2))
                page.open()
            elif what == "ask":
                page.ask()
            else:
                happens(room, letters, happening)
        room.let_everything_arrive()
        both_have_all(room)
        assert sorted(notes.body_of(session)) == sorted(letters.written - letters.cut)


@given(
    way=st.lists(
        st.tuples(st.sampled_from(["write", "undo", "redo", "serve", "hear"]), st.integers(0, 1), st.integers(0, 20)),
        max_size=60,
    )
)
@settings(OFTEN, max_examples=100)
def test_taking_changes_back_keeps_both_texts_the_same(
    session: HelpSession, scripts: Scripts, way: list[tuple[str, int, int]]
) -> None:
    with taken_back():
        room = room_of(session, scripts)
        for what, who, at in way:
            page = room.pages[who]
            if what == "write":
                at %= len(page.text) + 1
                page.type(at, at % 3, "ab😀"[: at % 4] or "x")
            elif what == "serve" and page.to_server:
                room.serve(page, page.to_server)
            elif what == "hear" and page.to_page:
                page.hear()
            elif what in ("undo", "redo"):
                page.turn(what)
        room.let_everything_arrive()
        both_have_all(room)


@given(way=happenings("turn"))
@settings(OFTEN, max_examples=150)
def test_what_does_not_fit_is_given_back_and_both_write_on_in_one_text(
    session: HelpSession, scripts: Scripts, way: list[Happening]
) -> None:
    with pytest.MonkeyPatch.context() as patch, taken_back():
        patch.setattr(notes, "LONGEST", 6)
        room, letters = room_of(session, scripts), Letters()
        for happening in way:
            what, who, at, *_ = happening
            page = room.pages[who]
            if what == "turn" and page.can_write:
                page.turn("undo" if at % 2 else "redo")
                letters.cut.update(letters.written)
            else:
                happens(room, letters, happening)
        room.let_everything_arrive()
        both_have_all(room)
        body = notes.body_of(session)
        assert len(body) <= notes.LONGEST
        assert len(set(body)) == len(body)
        assert letters.written - letters.cut <= {*body, *room.pages[0].refused, *room.pages[1].refused}


def test_of_two_who_fill_the_notes_at_once_the_one_refused_can_write_on(session: HelpSession, scripts: Scripts) -> None:
    room = room_of(session, scripts)
    customer, expert = room.pages
    customer.type(0, 0, "x" * (notes.LONGEST - 10))
    room.let_everything_arrive()
    customer.type(0, 0, "quicker")
    expert.type(0, 0, "refused")
    expert.type(7, 0, ", too")
    room.let_everything_arrive()
    both_have_all(room)
    assert expert.refused == "refused, too"
    assert expert.can_write
    expert.type(7, 100, "room")
    room.let_everything_arrive()
    both_have_all(room)
    assert notes.body_of(session) == "quickerroom" + "x" * (notes.LONGEST - 110)


def test_who_was_refused_half_way_gets_back_what_the_refused_stood_in_place_of(
    session: HelpSession, scripts: Scripts
) -> None:
    room = room_of(session, scripts)
    customer, expert = room.pages
    customer.type(0, 0, "x" * 60_000)
    room.let_everything_arrive()
    customer.type(0, 60_000, "y" * notes.LONGEST)
    expert.type(0, 0, "theirs")
    room.let_everything_arrive()
    both_have_all(room)
    assert 0 < len(customer.refused) < notes.LONGEST
    customer.turn("undo")
    room.let_everything_arrive()
    both_have_all(room)
    assert sorted(notes.body_of(session)) == sorted("x" * 60_000 + "theirs")


def test_of_two_who_type_at_one_place_each_ones_words_stay_together(session: HelpSession, scripts: Scripts) -> None:
    room = room_of(session, scripts)
    customer, expert = room.pages
    for one, two in zip("abcdefgh", "ABCDEFGH", strict=True):
        expert.type(len(expert.text), 0, two)
        customer.type(len(customer.text.split("A")[0]), 0, one)
        for page in (expert, customer):
            if page.to_server:
                room.serve(page, page.to_server)
        for page in room.pages:
            if page.to_page:
                page.hear()
    room.let_everything_arrive()
    both_have_all(room)
    assert notes.body_of(session) == "abcdefghABCDEFGH"


def test_a_long_text_takes_the_place_of_another_where_both_have_no_room(session: HelpSession, scripts: Scripts) -> None:
    room = room_of(session, scripts)
    customer, _ = room.pages
    customer.type(0, 0, "x" * 60_000)
    room.let_everything_arrive()
    customer.type(0, 60_000, "y" * (notes.LONGEST - 10))
    room.let_everything_arrive()
    both_have_all(room)
    assert notes.body_of(session) == "y" * (notes.LONGEST - 10)


def both_have_all(room: Room) -> None:
    body = notes.body_of(room.session)
    assert [page.text for page in room.pages] == [body, body]
    assert [page.unsaved for page in room.pages] == [None, None]
    log: Any = NotesEdit.objects.filter(session=room.session).values_list("change", flat=True)
    replayed = ""
    for change in log:
        replayed = apply(replayed, change)
    assert replayed == body
