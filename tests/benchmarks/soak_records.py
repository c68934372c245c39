"""A record of a soak in which everything went well, for the judge's tests to spoil."""

from dataclasses import replace
from typing import Any

from benchmarks.soak.judge import judge
from benchmarks.soak.record import Bill, Board, Books, Closed, Journey, Opened, Record, Side, Span, State, Terms, Visit

TERMS = Terms(free_seconds=5, fee_percent=20, least_charge=50)
# 30 seconds together, 25 of them at $6.00 a minute.
TOGETHER, PRICE, DUE = 30, 600, 250


def good_record() -> Record:
    """Return one: Eve and Erin have boards for Python, Max for Ads; Alice asks, Eve accepts, they talk for half a minute.

    Asked at second 10, accepted at 12, both in the room from 15, ended at 45.
    """
    eve = Board("eve", 0, frozenset({"python"}), hears=[(0, True), (12, None), (12.3, False), (45, None), (45.2, True)])
    eve.news += [State(0, frozenset()), Opened(10.1, "s1"), State(12.3, frozenset()), State(45.2, frozenset())]
    erin = Board("erin", 1, frozenset({"python", "ads"}), hears=[(0, True)])
    erin.news += [State(0, frozenset()), Opened(10.2, "s1"), Closed(12.2, "s1")]
    max_ = Board("max", 0, frozenset({"ads"}), hears=[(0, True)])
    max_.news += [State(0, frozenset())]
    return Record(TERMS, boards=[eve, erin, max_], journeys=[_journey()], books=_books(), answers={200: 20, 302: 1})


def _journey() -> Journey:
    ended = Span(45, 45.1)
    visits = [Visit(Span(14.9, 15), ended)]
    states = ["requested", "accepted", "active", "active", "ended"]
    alice = Side("alice", 0, visits, said=["a1", "a2"], heard=["a1", "e1", "a2"], wrote=["n1"], states=states)
    eve = Side("eve", 1, list(visits), said=["e1"], heard=["a1", "e1", "a2"], wrote=["n2"], states=states[1:])
    alice.revisions, eve.revisions = [(1, "n1"), (2, "n2")], [(2, "n2"), (1, "n1")]
    return Journey(
        session="s1",
        topic="python",
        price_per_minute=PRICE,
        cap_minutes=15,
        asked=Span(10, 10.05),
        customer=alice,
        expert=eve,
        taken=Span(12, 12.1),
        ended=ended,
        receipt_total="$2.50",
        notes="n1\nn2\n",
    )


def _books() -> Books:
    bill = Bill(
        session="s1",
        state="ended",
        customer="alice",
        expert="eve",
        accepted_at=12,
        billable_seconds=TOGETHER,
        amount=DUE,
        payment_state="charged",
        charged=DUE,
        captured=DUE,
        still_held=0,
        postings=((-DUE, 200, 50, 0),),
    )
    return Books(bills=(bill,), open_attendances=0, open_holds=0, waiting_jobs=0, ledger=(-DUE, 200, 50, 0))


def with_bill(record: Record, **changes: Any) -> Record:
    """Change the one bill in the books."""
    assert record.books is not None
    (bill,) = record.books.bills
    record.books = replace(record.books, bills=(replace(bill, **changes),))
    return record


def findings(record: Record) -> list[str]:
    """Return all that the judge finds."""
    return [finding for verdict in judge(record) for finding in verdict.findings]
