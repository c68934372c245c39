"""The hub with real sockets: who hears what, in which order, and what one bad connection does to the others."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import wraps
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from prometheus_client import REGISTRY

from hopps import logs
from hopps.realtime import sockets
from hopps.realtime.hub import hub
from tests.hopps.pages import Said, open_page

# Channels closes connections to the database that are too old before each message, whichever test left one open.
pytestmark = pytest.mark.django_db

ALICE, BOB = uuid4(), uuid4()


def on_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run an async test on an event loop of its own; its database work happens in the test's own thread."""

    @wraps(test)
    def run() -> None:
        async_to_sync(test)()

    return run


@on_a_loop
async def test_an_event_reaches_its_audience_and_nobody_else() -> None:
    async with open_page(ALICE, audience="a") as alice, open_page(BOB, audience="b") as bob:
        hub.publish_now("b", Said(words="for b"))
        hub.publish_now("a", Said(words="for a"))
        await alice.until_heard(1)

        assert alice.words == ["for a"]
        assert bob.words == ["for b"]


@on_a_loop
async def test_an_excluded_person_hears_nothing_on_any_page() -> None:
    async with open_page(ALICE) as alice, open_page(BOB) as bob, open_page(BOB) as bobs_other_tab:
        hub.publish_now("a", Said(words="not for Bob"), exclude=[str(BOB)])
        hub.publish_now("a", Said(words="for both"))
        for page in (alice, bob, bobs_other_tab):
            await page.until_heard(1)
        await alice.until_heard(2)

        assert alice.words == ["not for Bob", "for both"]
        assert bob.words == bobs_other_tab.words == ["for both"]


@on_a_loop
async def test_all_sockets_of_an_audience_get_the_very_same_text() -> None:
    async with open_page(ALICE) as alice, open_page(BOB) as bob:
        hub.publish_now("a", Said(words="once"))
        await alice.until_heard(1)
        await bob.until_heard(1)

        assert alice.texts[0] is bob.texts[0]


@on_a_loop
async def test_events_keep_their_order_for_more_sockets_than_are_served_at_once() -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(open_page(uuid4())) for _ in range(250)]
        for number in range(20):
            hub.publish_now("a", Said(words=str(number)))
        for page in pages:
            await page.until_heard(20)

        assert all(page.words == [str(number) for number in range(20)] for page in pages)


@pytest.mark.django_db(transaction=True)
@on_a_loop
async def test_what_was_rolled_back_is_never_published() -> None:
    def write(words: str, *, fail: bool) -> None:
        with transaction.atomic():
            hub.publish("a", Said(words=words))
            if fail:
                raise ZeroDivisionError

    async with open_page(ALICE) as alice:
        with pytest.raises(ZeroDivisionError):
            await sync_to_async(write)("rolled back", fail=True)
        await sync_to_async(write)("committed", fail=False)
        await alice.until_heard(1)

        assert alice.words == ["committed"]


@on_a_loop
async def test_a_page_that_stops_reading_delays_nobody_and_misses_nothing() -> None:
    async with open_page(ALICE) as alice, open_page(BOB) as bob:
        bob.reads.clear()
        for number in range(50):
            hub.publish_now("a", Said(words=str(number)))
        await alice.until_heard(50)
        assert bob.texts == []

        bob.reads.set()
        await bob.until_heard(50)
        hub.publish_now("a", Said(words="after"))
        await bob.until_heard(51)

        assert bob.words == [*(str(number) for number in range(50)), "after"]


@on_a_loop
async def test_a_page_that_never_reads_is_cut_off_and_its_queue_let_go() -> None:
    async with open_page(ALICE) as alice, open_page(BOB) as bob:
        bob.reads.clear()
        for _ in range(sockets.QUEUE_ALLOWED + 2):
            hub.publish_now("a", Said(words="much"))
        await alice.until_heard(sockets.QUEUE_ALLOWED + 2)

        bob.reads.set()

        assert await bob.until_closed() == sockets.TOO_SLOW
        assert len(bob.texts) <= 1


@on_a_loop
async def test_a_lost_connection_does_not_keep_the_event_from_the_others() -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(open_page(uuid4())) for _ in range(10)]
        for page in pages[::2]:
            page.gone = True
        hub.publish_now("a", Said(words="still here"))
        for page in pages[1::2]:
            await page.until_heard(1)

        assert all(page.words == ["still here"] for page in pages[1::2])


@on_a_loop
async def test_a_socket_that_left_hears_no_more() -> None:
    async with open_page(ALICE) as alice:
        async with open_page(BOB) as bob:
            pass
        hub.publish_now("a", Said(words="late"))
        await alice.until_heard(1)

        assert bob.texts == []
        assert len(list(hub.sockets("a"))) == 1


@on_a_loop
async def test_waking_runs_each_sockets_own_code() -> None:
    async with open_page(ALICE) as alice, open_page(BOB, audience="b") as bob:
        hub.wake_now("a", "situation")
        # The hub keeps order: once this is heard, the waking before it has begun, and it waits for nothing.
        hub.publish_now("a", Said(words="next"))
        await alice.until_heard(1)
        await asyncio.sleep(0)

        assert alice.socket.reasons == ["situation"]
        assert bob.socket.reasons == []


@on_a_loop
async def test_events_are_counted_once_as_published_and_for_each_socket_as_delivered() -> None:
    def counted(what: str) -> float:
        return REGISTRY.get_sample_value(f"hopps_events_{what}_total") or 0.0

    async with open_page(ALICE) as alice, open_page(BOB) as bob:
        before = counted("published"), counted("delivered")
        hub.publish_now("a", Said(words="for both"))
        await alice.until_heard(1)
        await bob.until_heard(1)

        assert (counted("published") - before[0], counted("delivered") - before[1]) == (1, 2)


@on_a_loop
async def test_what_the_hub_logs_is_not_about_whoever_came_first() -> None:
    heard: list[dict[str, str]] = []

    async def listen() -> None:
        heard.append(logs.known())

    hub.every(0, listen)
    try:
        with logs.about(request="of-the-first"):
            await hub.start()
        while not heard:
            await asyncio.sleep(0)
    finally:
        hub._beats.pop()
        await hub.stop()

    assert heard[0] == {}
