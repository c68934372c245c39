"""Whether the two in a room were told the same, once and in order."""

from collections import Counter
from collections.abc import Iterator

from benchmarks.soak.record import Journey, Record, Side

# What both sides are told of a session that was held, in this order; each may be told again, and none comes back.
LIFE = ("requested", "accepted", "active", "ended")


def chat_findings(record: Record) -> Iterator[str | None]:
    """Each line is heard once on its writer's side and once on the other, and both sides hear all in the same order."""
    for journey, customer, expert in _held(record):
        for side, name in ((customer, "customer"), (expert, "expert")):
            times = Counter(side.heard)
            for line in (*customer.said, *expert.said):
                yield None if times[line] == 1 else f"{_in(journey)}, the {name} heard chat line {line} {times[line]} times"
            for writer in (customer, expert):
                mine = set(writer.said)
                if [line for line in dict.fromkeys(side.heard) if line in mine] != [
                    one for one in writer.said if one in times
                ]:
                    yield f"{_in(journey)}, the {name} heard chat lines in another order than they were written in"
        if len(customer.visits) > 1 or len(expert.visits) > 1:
            continue  # Who comes back gets what was missed as it is kept, by the moment it was written.
        same = set(customer.heard) & set(expert.heard)
        if [one for one in customer.heard if one in same] != [one for one in expert.heard if one in same]:
            yield f"{_in(journey)}, the two heard the chat in different orders"


def notes_findings(record: Record) -> Iterator[str | None]:
    """Each edit is heard once on both sides, numbered without a gap, and its word stands in the notes once."""
    for journey, customer, expert in _held(record):
        written = {*customer.wrote, *expert.wrote}
        for side, name in ((customer, "customer"), (expert, "expert")):
            numbers = [number for number, _ in side.revisions]
            edits = [edit for _, edit in side.revisions]
            # Two processes may tell of two edits in either order: the page sorts them by their numbers.
            right = sorted(numbers) == list(range(1, len(written) + 1)) and set(edits) == written
            yield None if right else f"{_in(journey)}, the {name} heard edits {numbers} of the {len(written)} that were made"
        for edit in written:
            found = journey.notes.count(edit)
            yield None if found == 1 else f"{_in(journey)}, what edit {edit} put into the notes stands there {found} times"


def state_findings(record: Record) -> Iterator[str | None]:
    """A session that was held goes through its states on both sides, and never back."""
    for journey, customer, expert in _held(record):
        for side, name in ((customer, "customer"), (expert, "expert")):
            order = [LIFE.index(state) if state in LIFE else -1 for state in side.states]
            right = order == sorted(order) and -1 not in order and {"active", "ended"} <= set(side.states)
            yield None if right else f"{_in(journey)}, the {name} was told the states {' '.join(dict.fromkeys(side.states))}"


def _held(record: Record) -> Iterator[tuple[Journey, Side, Side]]:
    for journey in record.journeys:
        if journey.ended is not None and journey.expert is not None:
            yield journey, journey.customer, journey.expert


def _in(journey: Journey) -> str:
    return f"in session {journey.session}"
