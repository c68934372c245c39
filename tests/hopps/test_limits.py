"""How often is too often: for a person, for an address, for how long, and what is kept of them."""

import logging
import time
from collections.abc import Iterator

import pytest
import time_machine
from django.core.cache import caches
from prometheus_client import REGISTRY
from pytest_django import Settings
from redis import Redis

from hopps import caches as ours
from hopps import limits, shared
from hopps.limits import Limit, TooOften
from hopps.rates import LIMITS, Rate
from script.lib.redis_server import RedisServer

RATE = Rate("2/hour", 2, "You have asked for help very often.")
ALICE, BOB, CAROL = "alice", "bob", "carol"
HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def two_an_hour(settings: Settings) -> None:
    settings.LIMITS = {Limit.ASK: RATE, Limit.CONNECT: RATE}


def is_too_often(person: object = None, address: str = "") -> bool:
    try:
        limits.spend(Limit.ASK, person=person, address=address)
    except TooOften:
        return True
    return False


def test_the_third_in_an_hour_is_too_often_and_an_hour_after_the_first_it_is_not() -> None:
    with time_machine.travel("2026-01-01T12:00Z", tick=False) as clock:
        limits.spend(Limit.ASK, person=ALICE)
        clock.shift(600)
        limits.spend(Limit.ASK, person=ALICE)
        clock.shift(600)

        with pytest.raises(TooOften, match=r"^You have asked for help very often\. Try again in 40 minutes\.$") as told:
            limits.spend(Limit.ASK, person=ALICE)

        assert told.value.seconds == 40 * 60
        clock.shift(told.value.seconds - 5)
        assert is_too_often(ALICE)
        clock.shift(6)
        assert not is_too_often(ALICE)
        assert is_too_often(ALICE)


def test_it_is_one_persons_and_one_thing_alone() -> None:
    assert [is_too_often(ALICE) for _ in range(3)] == [False, False, True]

    assert not is_too_often(BOB)
    limits.spend_here(Limit.CONNECT, person=ALICE)


def test_all_who_come_from_one_address_have_it_together_and_nobody_elsewhere_is_told() -> None:
    assert [is_too_often(person, HERE) for person in (ALICE, ALICE, BOB, BOB)] == [False] * 4

    assert is_too_often(CAROL, HERE)
    assert not is_too_often("dave", ELSEWHERE)


def test_one_person_who_tries_on_does_not_use_up_what_the_neighbours_have() -> None:
    assert [is_too_often(ALICE, HERE) for _ in range(9)] == [False] * 2 + [True] * 7

    assert not is_too_often(BOB, HERE)


def test_looking_counts_nothing() -> None:
    for _ in range(5):
        limits.check(Limit.ASK, person=ALICE)
    assert [is_too_often(ALICE) for _ in range(3)] == [False, False, True]

    with pytest.raises(TooOften):
        limits.check(Limit.ASK, person=ALICE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("not an address", "not an address", True),
    ],
)
def test_an_address_of_ipv6_is_all_that_one_line_has(one: str, other: str, same: bool) -> None:
    assert (limits.neighbourhood(one) == limits.neighbourhood(other)) is same


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (59 * 60 + 1, "1 hour"),
        (90 * 60, "90 minutes"),
        (90 * 60 + 1, "2 hours"),
        (86_400, "24 hours"),
    ],
)
def test_how_long_is_said_in_plain_words_and_never_too_short(seconds: float, words: str) -> None:
    assert limits.in_words(seconds) == words


def test_it_is_counted_and_logged_and_nobody_is_named(caplog: pytest.LogCaptureFixture) -> None:
    def told() -> float:
        return REGISTRY.get_sample_value("hopps_too_often_total", {"limit": "ask"}) or 0

    before = told()
    caplog.set_level(logging.INFO)
    assert [is_too_often(address=HERE) for _ in range(7)].count(True) == 3

    assert told() == before + 3
    # Whoever floods us does not flood the log.
    assert caplog.text.count("Too often: ask, by address") == 1
    assert HERE not in caplog.text


@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_has_a_rate_and_a_sentence(limit: Limit) -> None:
    rate = LIMITS[limit]
    assert rate.of_person()
    assert rate.sentence.endswith(".")
    assert all(all_.amount >= one.amount for one, all_ in zip(rate.of_person(), rate.of_address(), strict=True))


# --- With Redis ----------------------------------------------------------------------------------------------------------


class Process:
    """Another process as far as limits are concerned: a memory of its own."""

    def asks(self, person: str, address: str) -> bool:
        """Ask; return whether it was too often."""
        limits.forget()
        return is_too_often(person, address)


@pytest.fixture
def redis(redis_server: RedisServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """An empty Redis, which the settings name."""
    settings.REDIS_URL = redis_server.url
    settings.CACHES = ours.settings_of(redis_server.url)
    monkeypatch.setattr(shared, "AGAIN_SECONDS", 0.0)
    unasked = shared.Shared()
    for module in (limits, ours):
        monkeypatch.setattr(module, "shared", unasked)
    redis_server.process.start_if_down()
    with Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


def test_processes_on_one_redis_count_together(redis: Redis) -> None:
    one, other = Process(), Process()

    assert [one.asks(ALICE, HERE), other.asks(ALICE, HERE), one.asks(ALICE, HERE)] == [False, False, True]
    with pytest.raises(TooOften) as told:
        limits.spend(Limit.ASK, person=ALICE)
    assert 3590 < told.value.seconds <= 3600


def test_what_is_kept_in_redis_names_nobody_and_goes_by_itself(redis: Redis) -> None:
    limits.spend(Limit.ASK, person=ALICE, address=HERE)
    caches["default"].set(f"allauth:rl:{HERE}", [1.0], 60)

    keys = list(redis.scan_iter())

    assert len(keys) == 3
    assert not [key for key in keys if ALICE in key or HERE in key]
    assert all(redis.ttl(key) > 0 for key in keys)


def test_without_redis_each_counts_alone_and_the_log_says_so_once(
    redis: Redis, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cache = caches["default"]
    redis_server.kill()

    assert [is_too_often(ALICE) for _ in range(3)] == [False, False, True]
    assert cache.add("lock", True, 10)
    assert not cache.add("lock", True, 10)
    cache.set("times", [1.0], 10)
    assert cache.get("times", []) == [1.0]
    assert cache.delete("lock")
    assert caplog.text.count("Redis is away") == 1

    redis_server.start_again()
    assert not is_too_often(ALICE)
    assert caplog.text.count("Redis is back") == 1
    assert cache.get("times", []) == []


def test_a_redis_that_hangs_keeps_one_question_waiting_and_not_all(
    redis: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "AGAIN_SECONDS", 60.0)
    redis_server.freeze()
    try:
        began = time.monotonic()
        for _ in range(40):
            limits.check(Limit.ASK, person=ALICE)
        assert shared.ANSWER_SECONDS <= time.monotonic() - began < 10 * shared.ANSWER_SECONDS
    finally:
        redis_server.thaw()


def test_forgetting_leaves_the_jobs_in_redis_alone(redis: Redis) -> None:
    redis.set("huey.redis.hopps", "a job")

    caches["default"].clear()

    assert redis.get("huey.redis.hopps") == "a job"
