"""Whatever becomes of Twilio's callbacks, the bill is what our clock says: a real server, two real sockets, real callbacks.

They come when they should, late, twice, backwards, not at all, or say another time altogether (decision 0011).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID

import pytest

from accounts.models import Topic, User
from billing.models import Card
from sessions_app.models import HelpSession, VideoEvent
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.twilio_api import Call
from tests.peers.twilio_video import TwilioVideo, shifted
from tests.sessions_app.wire import Person

# So long the two talk. More would prove no more.
TALK_SECONDS = 3


@dataclass
class Way:
    """What becomes of the callbacks of a call."""

    during: Callable[[TwilioVideo], list[Call]]
    """What is sent before the end."""
    afterwards: Callable[[TwilioVideo], list[Call]]
    """What is sent after the bill is made."""
    kept: int
    """How much of what happened is known in the end: the room's two moments are known from Twilio's answers in any case."""


def everything(peer: TwilioVideo) -> list[Call]:
    return list(peer.calls)


def nothing(peer: TwilioVideo) -> list[Call]:
    return []


WAYS = {
    "in time": Way(everything, everything, kept=6),
    "late": Way(nothing, everything, kept=6),
    "twice": Way(lambda peer: [*peer.calls, *peer.calls], lambda peer: [*peer.calls, *peer.calls], kept=6),
    "backwards": Way(lambda peer: peer.calls[::-1], lambda peer: peer.calls[::-1], kept=6),
    "not at all": Way(nothing, nothing, kept=2),
    "an hour early": Way(lambda peer: [shifted(call, -timedelta(hours=1), peer) for call in peer.calls], nothing, kept=4),
}


@pytest.fixture(scope="module")
def peer() -> Iterator[TwilioVideo]:
    peer = TwilioVideo()
    yield peer
    assert peer.violations == []
    peer.stop()


@pytest.fixture(scope="module")
def server(start_server: StartServer, peer: TwilioVideo) -> LiveServer:
    return start_server(demo=True, FIT_WINDOW_SECONDS="0", PLATFORM_FEE_PERCENT="0", **peer.settings)


@pytest.fixture(scope="module")
def ids(server: LiveServer) -> dict[str, str]:
    """The ids of the people, by their mail, and of what a request names."""
    with server.rows() as its:
        people = {user.email: str(user.pk) for user in User.objects.using(its)}
        topic, card = Topic.objects.using(its).get(name="Python"), Card.objects.using(its).get()
        return {**people, "topic": str(topic.pk), "card": str(card.pk)}


@pytest.fixture(scope="module")
def people(server: LiveServer) -> tuple[Person, Person]:
    """Customer and expert."""
    return Person(server, "customer@demo.test"), Person(server, "expert@demo.test")


def events_told(server: LiveServer, session: str) -> int:
    with server.rows() as its:
        return VideoEvent.objects.using(its).filter(session=UUID(session)).count()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_bill_is_what_our_clock_says(
    server: LiveServer, peer: TwilioVideo, people: tuple[Person, Person], ids: dict[str, str], way: Way
) -> None:
    peer.reset()
    customer, expert = people
    words = {"title": "Query is slow", "details": "", "cap_minutes": 15, "topic": ids["topic"], "card": ids["card"]}
    asked = customer.post("/ask/", **words)
    session = asked.headers["Location"].strip("/").split("/")[-1]
    expert.post(f"/sessions/{session}/accept/")
    with expert.open(session) as eves, customer.open(session) as alices, customer.open(session) as watching:
        room = eves.join()["room"]
        peer.connect(room, ids["expert@demo.test"])
        before_both = time.monotonic()
        assert alices.join()["room"] == room
        both = time.monotonic()
        peer.connect(room, ids["customer@demo.test"])
        assert peer.call_back(way.during(peer)) <= {204}
        alices.talk(TALK_SECONDS, beside=eves)
        before_end = time.monotonic()
        customer.post(f"/sessions/{session}/end/")
        ended = time.monotonic()
        for page in (eves, alices):
            page.hear("session_changed", where=lambda event: event["state"] == "ended")
            page.close()
        watching.hear("session_changed", where=lambda event: event["settled"])
        billed = watching.clock()["billable_seconds"]
        # Both were there since some moment of joining, until some moment of the request that ended it.
        assert before_end - both - 1 <= billed <= ended - before_both + 1
        peer.wait_until_over(room)
        assert peer.call_back(way.afterwards(peer)) <= {204}
        assert watching.clock()["billable_seconds"] == billed
        # By what Twilio answered, and what it told.
        watching.eventually(lambda: events_told(server, session) == way.kept)
    with server.rows() as its:
        bill = HelpSession.objects.using(its).get(pk=session)
    assert bill.amount_minor == ceil(billed * bill.price_per_minute / 60)
