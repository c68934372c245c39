"""Hubs of several processes on a real Redis: what one publishes all hear once, and who may have missed something is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import wraps

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings
from redis import Redis

from hopps.realtime.hub import MISSED, Hub
from script.lib.redis_server import RedisServer
from tests.hopps.pages import Said

SECONDS = 20.0


@pytest.fixture(autouse=True)
def layer(redis_server: RedisServer, settings: Settings) -> Iterator[Redis]:
    """The settings name it; a client of the test's own, to do things to it."""
    settings.REDIS_URL = redis_server.url
    with Redis.from_url(redis_server.url) as client:
        yield client


class Process:
    """A server process as far as the hub is concerned: its hub, and one socket that writes down what reaches it."""

    person_id = "somebody"

    def __init__(self) -> None:
        self.hub = Hub()
        self.heard: list[str] = []
        self.missed = 0

    def push(self, text: str) -> None:
        self.heard.append(text.split('"')[-2])

    def wake(self, reason: str) -> None:
        assert reason == MISSED
        self.missed += 1

    def says(self, words: str) -> None:
        self.hub.publish_now("a", Said(words=words))

    async def until_heard(self, *words: str) -> None:
        await until(lambda: self.heard == list(words))

    async def until_missed(self) -> None:
        """Wait until it is told that it may have missed something, for the next time."""
        before = self.missed
        await until(lambda: self.missed > before)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not happened():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def two_processes() -> AsyncIterator[tuple[Process, Process]]:
    """Two that hear each other, and have caught up."""
    both = Process(), Process()
    for process in both:
        process.hub.subscribe(process, "a")
        await process.hub.start()
        await until(lambda process=process: process.missed > 0)  # type: ignore[misc]
    try:
        yield both
    finally:
        for process in both:
            await process.hub.stop()


def on_a_loop(test: Callable[[RedisServer, Redis], Awaitable[None]]) -> Callable[[RedisServer, Redis], None]:
    @wraps(test)
    def run(redis_server: RedisServer, layer: Redis) -> None:
        async_to_sync(test)(redis_server, layer)

    return run


@on_a_loop
async def test_what_one_process_says_each_hears_once_and_in_the_same_order(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        for number in range(0, 40, 2):
            one.says(str(number))
            two.says(str(number + 1))
        await until(lambda: len(one.heard) == len(two.heard) == 40)

        assert one.heard == two.heard
        assert sorted(one.heard, key=int) == [str(number) for number in range(40)]


@on_a_loop
async def test_a_process_without_sockets_is_heard_too(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        worker = Hub()
        await asyncio.to_thread(worker.publish_now, "a", Said(words="from a job"))

        await one.until_heard("from a job")
        await two.until_heard("from a job")
        await asyncio.to_thread(worker.close)


@on_a_loop
async def test_a_cut_line_is_noticed_and_all_sockets_look_again(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        layer.client_kill_filter(_type="pubsub")
        await asyncio.gather(one.until_missed(), two.until_missed())

        one.says("heard again")
        await one.until_heard("heard again")
        await two.until_heard("heard again")


@on_a_loop
async def test_a_process_that_read_too_slowly_for_redis_looks_again(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        layer.config_set("client-output-buffer-limit", "pubsub 1mb 1mb 1")
        # This loop reads nothing meanwhile.
        for _ in range(20):
            layer.publish("hopps.hub", b"x" * 1024 * 1024)
        await asyncio.gather(one.until_missed(), two.until_missed())

        two.says("heard again")
        await one.until_heard("heard again")


@on_a_loop
async def test_a_word_that_redis_did_not_take_is_owned_up_to(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        one.says("before")
        await two.until_heard("before")
        layer.acl_setuser("default", enabled=True, commands=["-publish"])
        one.says("refused")
        await one.until_heard("before", "refused")
        assert two.heard == ["before"]

        layer.acl_setuser("default", enabled=True, commands=["+publish"])
        await two.until_missed()
        assert two.hub.is_listening


@on_a_loop
async def test_while_redis_is_away_nobody_waits_and_after_it_all_look_again(redis_server: RedisServer, layer: Redis) -> None:
    async with two_processes() as (one, two):
        redis_server.kill()
        for number in range(100):
            one.says(str(number))
        # Those of the same process hear it all the same.
        await until(lambda: len(one.heard) == 100)
        assert two.heard == []
        assert not one.hub.is_listening

        redis_server.start_again()
        await asyncio.gather(one.until_missed(), two.until_missed())
        await until(lambda: one.hub.is_listening and two.hub.is_listening)
        two.says("back")
        await until(lambda: one.heard[100:] == ["back"] == two.heard)


@on_a_loop
async def test_a_redis_that_hangs_is_away_and_what_it_lets_through_later_is_not_heard_twice(
    redis_server: RedisServer, layer: Redis
) -> None:
    async with two_processes() as (one, two):
        one.says("before")
        await one.until_heard("before")
        redis_server.freeze()
        try:
            one.says("held back")
            await until(lambda: one.heard == ["before", "held back"])
            await until(lambda: not one.hub.is_listening and not two.hub.is_listening)
        finally:
            redis_server.thaw()
        await asyncio.gather(one.until_missed(), two.until_missed())
        await until(lambda: one.hub.is_listening and two.hub.is_listening)
        two.says("after")
        await until(lambda: "after" in one.heard and "after" in two.heard)

        assert one.heard == ["before", "held back", "after"]


@on_a_loop
async def test_a_process_that_starts_while_redis_is_away_serves_and_catches_up(
    redis_server: RedisServer, layer: Redis
) -> None:
    redis_server.stop()
    late = Process()
    late.hub.subscribe(late, "a")
    await late.hub.start()
    assert late.missed == 0

    redis_server.start_again()
    await late.until_missed()
    late.says("heard")
    await late.until_heard("heard")
    await late.hub.stop()
