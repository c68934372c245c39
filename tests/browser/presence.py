"""A call whose two people each have a line of their own that can be cut, and the bill against the diary of these lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from uuid import UUID

from playwright.sync_api import Page, expect

from accounts.models import Topic
from billing.models import Payment, Posting
from sessions_app.models import Attendance
from tests.browser.call import (
    CUSTOMER,
    EXPERT,
    Call,
    accept,
    ask_for_help,
    billed_seconds,
    both_see_each_other,
    end_session,
    join,
)
from tests.browser.conftest import OpenPage
from tests.live import LiveServer
from tests.peers.cutter import Cutter, Stay

# At which seconds are dollars: a short call is above the processor's minimum.
PRICE_PER_MINUTE = 6000

Interval = tuple[datetime, datetime]


@dataclass
class WatchedCall(Call):
    """A call, and the two lines its pages are connected by."""

    server: LiveServer
    customers_line: Cutter
    experts_line: Cutter

    @property
    def session_id(self) -> UUID:
        """The session's id."""
        return UUID(self.session.rstrip("/").rpartition("/")[2])


@contextmanager
def watched_call(
    server: LiveServer,
    open_page: OpenPage,
    title: str,
    before_joining: Callable[[Page], None] = lambda page: None,
    *,
    ports: tuple[int, int] | None = None,
) -> Iterator[WatchedCall]:
    """Go from nothing to a call in which both see each other; the lines are closed afterwards.

    Args:
        server: whose call it is.
        open_page: opens its pages.
        title: the session's.
        before_joining: called with each of the two pages, when it is open and empty.
        ports: where the customer's and the expert's line go to; to the server's one port where None.
    """
    lines = [Cutter(port) for port in ports or (server.port, server.port)]
    try:
        customer, board = (open_page(line, person) for line, person in zip(lines, (CUSTOMER, EXPERT), strict=True))
        for page in (customer, board):
            before_joining(page)
        board.goto("/expert/")
        expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
        session = ask_for_help(customer, title)
        accept(board, title)
        join(board)
        join(customer)
        call = WatchedCall(customer, board, session, server, *lines)
        both_see_each_other(call)
        yield call
    finally:
        for line in lines:
            line.stop()


def both_were_there(call: WatchedCall) -> float:
    """Return for how many seconds both were in the room, as their lines saw it, up to the end of the session."""
    ended = [line.ended_at for line in (call.customers_line, call.experts_line) if line.ended_at is not None]
    until = min(ended)
    pairs = product(_merged(call.customers_line.stays, until), _merged(call.experts_line.stays, until))
    overlaps = ((min(one[1], two[1]) - max(one[0], two[0])).total_seconds() for one, two in pairs)
    return sum(overlap for overlap in overlaps if overlap > 0)


def _merged(stays: list[Stay], until: datetime) -> list[Interval]:
    merged: list[Interval] = []
    for stay in sorted(stays, key=lambda stay: stay.start):
        start, end = stay.start, min(stay.end or until, until)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def end_and_check_the_bill(call: WatchedCall, by: Page | None = None) -> None:
    """End the session: billed is the time both were there, to a second, and it is charged once, in one payment."""
    end_session(by or call.customer)
    for page in (call.customer, call.expert):
        expect(page.get_by_text("Receipt", exact=True)).to_be_visible()
    billed, there = billed_seconds(call.customer), both_were_there(call)
    assert abs(billed - int(there)) <= 1, f"Billed {billed} s, both were there for {there:.2f} s.\n{diary(call)}"
    assert billed_seconds(call.expert) == billed
    # What came of the charge, the page says when it is known.
    expect(call.customer.locator("[data-live]")).to_have_attribute("data-charge", "charged")
    with call.server.rows() as its:
        payment = Payment.objects.using(its).get(reference=call.session_id)
        assert Posting.objects.using(its).filter(kind=Posting.Kind.CHARGE, payment=payment).count() == 1


def diary(call: WatchedCall) -> str:
    """Return what the lines saw beside what the server wrote, stretch by stretch."""
    lines = []
    for name, line in (("customer", call.customers_line), ("expert", call.experts_line)):
        lines += [f"{stay.start:%H:%M:%S.%f} {name} on the line until {stay.end and stay.end.time()}" for stay in line.stays]
    with call.server.rows() as its:
        stretches = Attendance.objects.using(its).filter(session=call.session_id).select_related("person")
        lines += [
            f"{one.joined_at:%H:%M:%S.%f} {one.person.email} on the server until "
            + (f"{one.left_at:%H:%M:%S.%f}" if one.left_at else f"{one.last_seen_at:%H:%M:%S.%f} (seen)")
            for one in stretches
        ]
    return "\n".join(sorted(lines))


def set_price(server: LiveServer, per_minute: int = PRICE_PER_MINUTE) -> None:
    """Set the price of every topic of `server`, in minor units."""
    with server.rows() as its:
        Topic.objects.using(its).update(price_per_minute=per_minute)
