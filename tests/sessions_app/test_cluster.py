"""Customer and expert at different web processes: these are replaced, and Redis goes away, in the middle of a call.

The same in real browsers: tests/browser/test_cluster.py.
"""

import signal
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from redis import Redis

from sessions_app.consumers.room import REPLACED
from sessions_app.models import HelpSession, State
from tests.live import LiveCluster
from tests.sessions_app.test_two_processes import a_session, asked, close_code
from tests.sessions_app.wire import SECONDS, Door, Person, WirePage

pytestmark = pytest.mark.whole_machine

CUSTOMER, EXPERT = "customer@demo.test", "expert@demo.test"


@pytest.fixture(scope="module")
def server(live_cluster: LiveCluster) -> LiveCluster:
    return live_cluster


def moves_on(old: WirePage, new: WirePage) -> None:
    """Have a page go over to its new line; until that is open it gives its signs of life by the old one."""
    old.say(type="ping")
    new.come_back(old)


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
            moves_on(caros, caros_next)
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
                moves_on(caros_next, caros_last)
                moves_on(eves, eves_last)
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


def say(page: WirePage, words: str) -> None:
    """Say it in the chat, and wait until it comes back as kept."""
    page.say(type="chat", id=str(uuid4()), body=words)
    page.hear("chat_line", where=lambda event: event["body"] == words)


def chat_lines(page: WirePage) -> list[str]:
    """Return what its person has been shown of the chat, each line once, as the page keeps them by their ids."""
    lines = {}
    for event in page.heard:
        for line in event["chat"] if event["type"] == "welcome" else [event] if event["type"] == "chat_line" else []:
            lines[line["id"]] = line["body"]
    return list(lines.values())


def test_what_is_said_and_done_without_redis_is_heard_once_it_is_back(server: LiveCluster) -> None:
    first, second = (Door(web.address) for web in server.cluster.webs)
    customer, expert = Person(server, CUSTOMER), Person(server, EXPERT)
    session = a_session(customer, expert)
    with expert.open(session, second) as eves, customer.open(session, first) as caros:
        eves.join()
        caros.join()
        say(caros, "before")
        eves.hear("chat_line")

        server.cluster.redis.kill()
        for number in range(3):
            say(caros, f"without Redis {number}")
        assert customer.post(f"/sessions/{session}/pause/").status_code == 302
        caros.hear("clock", where=lambda event: event["paused_by"] is not None)
        assert chat_lines(eves) == ["before"]
        server.cluster.redis.start_again()

        eves.hear("clock", where=lambda event: event["paused_by"] is not None)
        eves.eventually(lambda: chat_lines(eves) == ["before", *(f"without Redis {number}" for number in range(3))])
        say(eves, "heard all")
        caros.hear("chat_line", where=lambda event: event["body"] == "heard all")
        said_by_caro = [event["body"] for event in caros.heard if event["type"] == "chat_line"]
        assert len(said_by_caro) == len(set(said_by_caro))
        caros.close()
        eves.close()
    customer.post(f"/sessions/{session}/end/")


def test_what_the_queue_lost_the_sweep_finds(server: LiveCluster) -> None:
    """A worker that is killed takes the jobs with it that it had in hand; a Redis without its disk takes all of them."""
    server.cluster.worker.kill()
    session = asked(Person(server, CUSTOMER))
    with Redis.from_url(server.cluster.redis.url) as redis:
        redis.flushall()
    with server.rows() as its:
        HelpSession.objects.using(its).filter(pk=session).update(queued_at=timezone.now() - timedelta(hours=1))
    server.cluster.worker.start()

    deadline = time.monotonic() + SECONDS
    while state_of(server, session) != State.EXPIRED:
        assert time.monotonic() < deadline, "The sweep did not find it."
        time.sleep(0.1)


def state_of(server: LiveCluster, session: str) -> str:
    with server.rows() as its:
        return HelpSession.objects.using(its).get(pk=session).state
