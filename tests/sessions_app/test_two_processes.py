"""A page that comes back by another server process, between which every word is lost: what each reads is all it knows."""

import time
from collections import Counter
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import Topic
from billing.models import Card
from hopps.realtime.sockets import LOST
from sessions_app.consumers.room import REPLACED
from sessions_app.models import Attendance
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.sessions_app.wire import SECONDS, Person, WirePage

CUSTOMER, EXPERT = "customer@demo.test", "expert@demo.test"
TALK_SECONDS = 2


@pytest.fixture(scope="module")
def servers(start_server: StartServer) -> tuple[LiveServer, LiveServer]:
    """Two processes on one database, without a channel layer between them."""
    secret = {"SECRET_KEY": "of-both", "FIT_WINDOW_SECONDS": "0"}
    first = start_server(**secret)
    return first, start_server(beside=first, **secret)


def close_code(page: WirePage, *, beside: WirePage) -> int:
    """Return the code with which the server closes the socket of a page that goes on giving signs of life."""
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            beside.say(type="ping")
            page.rest()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else LOST
    raise TimeoutError("It was not closed.")


def a_session(customer: Person, expert: Person) -> str:
    """Ask for help, and accept it; return the session's id."""
    with customer.server.rows() as its:
        topic = str(Topic.objects.using(its).get(name="Python").pk)
        card = str(Card.objects.using(its).get().pk)
    words = {"title": "Query is slow", "details": "", "cap_minutes": 15, "topic": topic, "card": card}
    session = customer.post("/ask/", **words).headers["Location"].strip("/").split("/")[-1]
    expert.post(f"/sessions/{session}/accept/")
    return session


def stretches(server: LiveServer, session: str) -> dict[str, int]:
    """Return how many stretches of presence each person has had."""
    with server.rows() as its:
        rows = Attendance.objects.using(its).filter(session=UUID(session))
        return dict(Counter(rows.values_list("person__email", flat=True)))


def test_a_page_that_comes_back_by_another_process_is_there_once_and_stays(servers: tuple[LiveServer, LiveServer]) -> None:
    first, second = servers
    customer, expert = Person(first, CUSTOMER), Person(first, EXPERT)
    session = a_session(customer, expert)
    with expert.open(session) as eves, customer.open(session) as old, customer.open(session, second) as new:
        eves.join()
        before_both = time.monotonic()
        old.join()
        both = time.monotonic()
        old.talk(TALK_SECONDS, beside=eves)
        new.come_back(old)
        # What was under way on the old line still arrives.
        assert close_code(old, beside=eves) == REPLACED
        new.talk(2 * TALK_SECONDS, beside=eves)
        before_end = time.monotonic()
        customer.post(f"/sessions/{session}/end/")
        ended = time.monotonic()
        eves.hear("session_changed", where=lambda event: event["state"] == "ended")
        eves.close()
        new.close()
    with customer.open(session) as receipt:
        receipt.eventually(lambda: receipt.state()["settled"])
        billed = receipt.clock()["billable_seconds"]
    assert before_end - both - 1 <= billed <= ended - before_both + 1
    assert stretches(first, session) == {CUSTOMER: 2, EXPERT: 1}
