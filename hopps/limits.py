"""Counting how often somebody does something, by person and by address, and saying no where it is too often (hopps.rates).

With Redis all processes count together; without it, and while it is away, each by itself. What is kept there names nobody:
persons and addresses are hashed.
"""

import ipaddress
import logging
import math
import time
from collections.abc import Callable
from functools import cache, partial

from django.conf import settings
from django.utils.crypto import salted_hmac
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from hopps import metrics
from hopps.errors import Refused
from hopps.rates import Limit
from hopps.shared import connection, shared

__all__ = ["Limit", "TooOften", "check", "forget", "in_words", "neighbourhood", "noted", "spend", "spend_here"]

logger = logging.getLogger(__name__)

# Who has one address of IPv6 mostly has all that begin as it does (RFC 6177: a site gets a /64 at least).
IPV6_PREFIX = 64
MINUTE, HOUR = 60, 3600
# Whoever floods us does not flood the log.
_LOGGED = parse("1/minute")


class TooOften(Refused):
    """Somebody did this too often. After `seconds`, a whole number from 1, they may again."""

    def __init__(self, *, limit: str, seconds: float, sentence: str) -> None:
        self.limit = limit
        self.seconds = max(math.ceil(seconds), 1)
        self.reason = sentence
        super().__init__(f"{sentence} Try again in {in_words(self.seconds)}.")


def spend(limit: Limit, *, person: object = None, address: str = "") -> None:
    """Count that somebody does what `limit` is about.

    Args:
        limit: what is done.
        person: who does it: their id; None where nobody is signed in.
        address: where from: an IP address; empty where it is not known.

    Raises:
        TooOften: it was too often, and is not counted.
    """
    _each(limit, person, address, partial(_ask_all, count=True))


def check(limit: Limit, *, person: object = None, address: str = "") -> None:
    """Look whether `spend` would be too often, and count nothing. Arguments and what is raised are the same."""
    _each(limit, person, address, partial(_ask_all, count=False))


def spend_here(limit: Limit, *, person: object = None, address: str = "") -> None:
    """As `spend`, counted in this process alone: for what is done too often to ask Redis each time. It never waits."""
    _each(limit, person, address, lambda item, key: _wait(_here(), item, key, count=True))


def forget() -> None:
    """Forget what this process counted; what is in Redis stays."""
    _here().storage.reset()


def neighbourhood(address: str) -> str:
    """Return what of an IP address one person has: all of it in IPv4, the first 64 bits in IPv6.

    An address that is none is returned as it is.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), IPV6_PREFIX), strict=False).network_address)


def in_words(seconds: float) -> str:
    """Return so many seconds as people say it, never less than it is: "40 seconds", "4 minutes", "2 hours"."""
    minutes = math.ceil(seconds / MINUTE)
    if seconds < MINUTE:
        number, unit = max(math.ceil(seconds), 1), "second"
    elif minutes <= 90 and minutes != 60:
        number, unit = minutes, "minute"
    else:
        number, unit = math.ceil(seconds / HOUR), "hour"
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _each(limit: Limit, person: object, address: str, ask: Callable[[RateLimitItem, tuple[str, ...]], float]) -> None:
    """Ask of each rate of the person, then of the address: one person's trying again uses up no neighbour's share."""
    rate = settings.LIMITS[limit]
    asked: list[tuple[str, str, list[RateLimitItem]]] = []
    if person is not None:
        asked.append(("person", str(person), rate.of_person()))
    if address:
        asked.append(("address", neighbourhood(address), rate.of_address()))
    for kind, who, items in asked:
        hidden = salted_hmac("hopps.limits", f"{kind} {who}", algorithm="sha256").hexdigest()[:32]
        for item in items:
            seconds = ask(item, (limit, hidden))
            if seconds > 0:
                told = TooOften(limit=limit, seconds=seconds, sentence=rate.sentence)
                noted(told, by=f"{kind} {hidden[:8]}")
                raise told


def noted(told: TooOften, *, by: str) -> None:
    """Count that somebody was told, and log it once a minute each; `by` says who without naming them."""
    metrics.TOO_OFTEN.labels(told.limit).inc()
    if _here().hit(_LOGGED, "log", told.limit, by):
        logger.warning("Too often: %s, by %s; again in %d s", told.limit, by, told.seconds)


def _ask_all(item: RateLimitItem, key: tuple[str, ...], *, count: bool) -> float:
    here = partial(_wait, _here(), item, key, count=count)
    if not settings.REDIS_URL:
        return here()
    return shared.ask(partial(_wait, _in_redis(settings.REDIS_URL), item, key, count=count), otherwise=here)


def _wait(counter: MovingWindowRateLimiter, item: RateLimitItem, key: tuple[str, ...], *, count: bool) -> float:
    """Return for how many seconds it is too often; 0 where it is not, and then it is counted if `count`."""
    if counter.hit(item, *key) if count else counter.test(item, *key):
        return 0.0
    return max(counter.get_window_stats(item, *key).reset_time - time.time(), 1.0)


@cache
def _here() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


@cache
def _in_redis(url: str) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(RedisStorage(url, key_prefix="hopps:limits", **connection()))
