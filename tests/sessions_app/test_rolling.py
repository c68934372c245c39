"""A web process is replaced in mid-call: its page goes to the other one first, and the other side hears nothing of it."""

import signal
import time

import pytest

from sessions_app.consumers.room import REPLACED
from tests.live import LiveCluster
from tests.sessions_app.test_two_processes import a_session, close_code
from tests.sessions_app.wire import Door, Person, WirePage

CUSTOMER, EXPERT = "customer@demo.test", "expert@demo.test"


@pytest.fixture(scope="module")
def server(live_cluster: LiveCluster) -> LiveCluster:
    return live_cluster


def heard_no_trouble(page: WirePage) -> None:
    """Have the page catch up, and assert that nobody was ever said to be away since its record was emptied."""
    now = page.clock()["as_of"]
    page.say(type="sync")
    page.hear("clock", where=lambda event: event["as_of"] > now)
    for event in page.heard:
        assert event["type"] != "peer_left"
        assert event["type"] != "clock" or event["running"]
        assert event["type"] != "presence" or (event["customer"] and event["expert"])


def test_pages_go_to_another_process_before_their_own_stops_and_nobody_hears_of_it(server: LiveCluster) -> None:
    one, two = server.cluster.webs
    first, second = Door(one.address), Door(two.address)
    customer, expert = Person(server, CUSTOMER), Person(server, EXPERT)
    session = a_session(customer, expert)
    with expert.open(session, second) as eves, customer.open(session, first) as caros:
        eves.join()
        before_both = time.monotonic()
        caros.join()
        both = time.monotonic()
        caros.talk(1, beside=eves)
        eves.talk(2, beside=caros)
        eves.heard.clear()

        # The customer's process is replaced …
        one.send(signal.SIGTERM)
        caros.hear("go_elsewhere")
        with customer.open(session, second) as caros_next:
            caros_next.come_back(caros)
            assert close_code(caros, beside=eves) == REPLACED
            caros_next.eventually(lambda: one.ended_by_itself)
            heard_no_trouble(eves)
            one.start()
            eves.rest()
            caros_next.talk(caros_next.clock()["billable_seconds"] + 1, beside=eves)

            # … and then the one at which both are.
            eves.heard.clear()
            caros_next.heard.clear()
            two.send(signal.SIGTERM)
            eves.hear("go_elsewhere")
            caros_next.hear("go_elsewhere")
            with customer.open(session, first) as caros_last, expert.open(session, first) as eves_last:
                caros_last.come_back(caros_next)
                eves_last.come_back(eves)
                caros_last.eventually(lambda: two.ended_by_itself)
                for page in (caros_last, eves_last):
                    heard_no_trouble(page)
                two.start()
                eves_last.rest()
                caros_last.talk(caros_last.clock()["billable_seconds"] + 1, beside=eves_last)
                before_end = time.monotonic()
                customer.post(f"/sessions/{session}/end/")
                ended = time.monotonic()
                for page in (caros_last, eves_last):
                    page.hear("session_changed", where=lambda event: event["state"] == "ended")
                    page.close()
    with customer.open(session) as receipt:
        receipt.eventually(lambda: receipt.state()["settled"])
        billed = receipt.clock()["billable_seconds"]
    assert before_end - both - 1 <= billed <= ended - before_both + 1
