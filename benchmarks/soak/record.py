"""What the soak saw, as plain data: on the wire by the people at its ends, and in the books afterwards.

Moments are seconds of the load's own monotonic clock; money is in minor units. The judge reads this and nothing else.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Span:
    """Something asked of the server: when it was sent, and when its answer was here. It happened in between."""

    sent: float
    answered: float


# --- Boards ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """A board was chimed."""

    at: float
    request: str


@dataclass(frozen=True)
class Closed:
    """A board was told that a request is gone."""

    at: float
    request: str


@dataclass(frozen=True)
class State:
    """A board was told everything it shows."""

    at: float
    requests: frozenset[str]


@dataclass
class Board:
    """One expert's open board."""

    expert: str
    process: int
    topics: frozenset[str]
    news: list[Opened | Closed | State] = field(default_factory=list)
    """In the order it came."""
    hears: list[tuple[float, bool | None]] = field(default_factory=list)
    """From when on the board is to be chimed (True), is not (False), or something is under way that changes it (None)."""

    def hears_throughout(self, start: float, end: float) -> bool | None:
        """Return whether it was to be chimed all the time from `start` to `end` (True), never (False), or unsure (None)."""
        during = {hears for at, hears in self.hears if start < at <= end}
        before = [hears for at, hears in self.hears if at <= start]
        during.add(before[-1] if before else None)
        return during.pop() if len(during) == 1 else None


# --- Help sessions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One stay of one person's page in the room."""

    came: Span
    left: Span


@dataclass
class Side:
    """One person's page of a session, and what it said and heard there."""

    person: str
    process: int
    visits: list[Visit] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Ids of its chat lines, in order."""
    heard: list[str] = field(default_factory=list)
    """Ids of all chat lines it heard, its own included, in order."""
    wrote: list[str] = field(default_factory=list)
    """Ids of its edits of the shared notes."""
    revisions: list[tuple[int, str]] = field(default_factory=list)
    """Number and id of each edit it heard, in order."""
    states: list[str] = field(default_factory=list)
    """The session's states it was told, in order."""


@dataclass
class Journey:
    """One request and what became of it."""

    session: str
    topic: str
    price_per_minute: int
    cap_minutes: int
    asked: Span
    customer: Side
    expert: Side | None = None
    taken: Span | None = None
    """The winner's accepting."""
    cancelled: Span | None = None
    pauses: list[tuple[Span, Span]] = field(default_factory=list)
    """The clock stopped, and went on."""
    ended: Span | None = None
    receipt_total: str = ""
    """What the receipt says was paid, such as "$4.00"."""
    notes: str = ""
    """The shared notes as the file says."""

    @property
    def closed(self) -> Span | None:
        """What took the request off the boards."""
        return self.taken or self.cancelled


# --- The books, read when all is over ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A session as it stands in the database, with its money."""

    session: str
    state: str
    customer: str
    expert: str | None
    accepted_at: float | None
    """Seconds since 1970: for the order of one pair's sessions."""
    billable_seconds: int
    amount: int
    payment_state: str
    charged: int
    captured: int
    """What the processor's own books say it took."""
    still_held: int
    """What the processor still holds."""
    postings: tuple[tuple[int, int, int, int], ...]
    """What customer, expert, platform and processor gained by each posting."""


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the database says when all is over."""

    bills: tuple[Bill, ...]
    open_attendances: int
    open_holds: int
    waiting_jobs: int
    ledger: tuple[int, int, int, int]
    """The sums of the whole ledger: customers, experts, platform, processor."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The rules the server ran with."""

    free_seconds: int
    fee_percent: int
    least_charge: int
    """Under this the processor charges nothing."""


@dataclass
class Record:
    """All of it."""

    terms: Terms
    boards: list[Board] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    books: Books | None = None
    answers: dict[int, int] = field(default_factory=dict)
    """How often each HTTP status came."""
    mishaps: list[str] = field(default_factory=list)
    """What no visitor should see: a socket that was lost, an answer that was not expected, an error in a server's log."""
