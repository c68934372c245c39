"""Changes of a text that two people write in at once. The page has the same in static/js/room/shared_notes/change.js.

A change goes through the whole text from its beginning: a number above zero keeps so many characters, one below zero takes
so many out, a string is put in. `[5, "big ", -3, 2]` makes "very big ox" of "very tinyox". Characters are code points, not
the halves of them that a browser counts. As a change covers the whole text, one made of another text is noticed.
"""

from collections.abc import Iterable, Sequence

Change = list[int | str]

# What no text of ours holds: PostgreSQL keeps no NUL, and a browser's text box makes another character of a carriage return.
NOT_TEXT = ("\0", "\r")


class NotAChange(ValueError):
    """Not a change, or one of another text. Says what is the matter, for the log and for tests."""


class _Writer:
    """Writes a change in its one form: neighbours of a kind joined, nothing empty, what is put in before what is cut out."""

    def __init__(self) -> None:
        self.change: Change = []

    def put(self, text: str) -> None:
        if not text:
            return
        at = len(self.change)
        if at and isinstance(last := self.change[-1], int) and last < 0:
            at -= 1
        if at and isinstance(before := self.change[at - 1], str):
            self.change[at - 1] = before + text
        else:
            self.change.insert(at, text)

    def count(self, number: int) -> None:
        """Keep `number` characters, or take out as many as it is below zero."""
        if number == 0:
            return
        last = self.change[-1] if self.change else ""
        if isinstance(last, int) and (last > 0) == (number > 0):
            self.change[-1] = last + number
        else:
            self.change.append(number)


class _Reader:
    """Reads a change piece by piece; numbers in smaller pieces where asked."""

    def __init__(self, change: Sequence[int | str]) -> None:
        self._steps = iter(change)
        self.step: int | str | None = next(self._steps, None)

    def next(self) -> None:
        self.step = next(self._steps, None)

    def use(self, number: int) -> None:
        """Use up `number` characters of the present step, which is a number."""
        assert isinstance(self.step, int)
        self.step += -number if self.step > 0 else number
        if self.step == 0:
            self.next()


def read(steps: Iterable[int | str]) -> Change:
    """Return `steps` in their normal form.

    Raises:
        NotAChange: a character that is not kept, or nothing is changed.
    """
    writer = _Writer()
    for step in steps:
        if isinstance(step, int):
            writer.count(step)
        elif any(character in step for character in NOT_TEXT):
            raise NotAChange("it puts in a character that is not kept")
        else:
            writer.put(step)
    if not changes_anything(writer.change):
        raise NotAChange("it changes nothing")
    return writer.change


def changes_anything(change: Change) -> bool:
    """Return whether a text is another after `change`."""
    return any(isinstance(step, str) or step < 0 for step in change)


def apply(text: str, change: Change) -> str:
    """Return `text` after `change`.

    Raises:
        NotAChange: it was made of a text of another length.
    """
    pieces: list[str] = []
    at = 0
    for step in change:
        if isinstance(step, str):
            pieces.append(step)
            continue
        if step > 0:
            pieces.append(text[at : at + step])
        at += abs(step)
    if at != len(text):
        raise NotAChange(f"it is of a text of {at} characters, not of {len(text)}")
    return "".join(pieces)


def rebase(change: Change, done: Change, *, done_stands_first: bool) -> Change:
    """Return `change` as it has to be now that `done` came before it; both were made of the same text.

    What either put in stays, what either took out is gone, once. `done_stands_first` says whose words stand first where both
    put some in at the same place.

    Raises:
        NotAChange: the two are of texts of different lengths.
    """
    writer, ours, theirs = _Writer(), _Reader(change), _Reader(done)
    while ours.step is not None or theirs.step is not None:
        if isinstance(theirs.step, str) and (done_stands_first or not isinstance(ours.step, str)):
            writer.count(len(theirs.step))
            theirs.next()
        elif isinstance(ours.step, str):
            writer.put(ours.step)
            ours.next()
        elif ours.step is None or not isinstance(theirs.step, int):
            raise NotAChange("it is of a text of another length")
        else:
            number = min(abs(ours.step), abs(theirs.step))
            if theirs.step > 0:
                writer.count(number if ours.step > 0 else -number)
            ours.use(number)
            theirs.use(number)
    return writer.change
