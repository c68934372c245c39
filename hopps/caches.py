"""Django's cache, by which allauth counts: in Redis, for all processes together, where there is one.

Nothing else uses it. What is in it may be lost at any time.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils.crypto import salted_hmac

from hopps.shared import connection, shared

Answer = TypeVar("Answer")

# Django's own 300 would have whoever knocks from 300 addresses be forgotten at once.
MOST_KEPT = 100_000


def settings_of(redis_url: str) -> dict[str, dict[str, Any]]:
    """Return CACHES for the Redis at this address, or for one process without Redis where it is empty."""
    kept = {"KEY_FUNCTION": "hopps.caches.hidden_key"}
    if redis_url:
        return {"default": {"BACKEND": "hopps.caches.SharedCache", "LOCATION": redis_url, **kept}}
    options = {"MAX_ENTRIES": MOST_KEPT}
    return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": options, **kept}}


def hidden_key(key: str, key_prefix: str, version: int) -> str:
    """Return the key to keep something under: allauth's own have people's addresses in them."""
    return f"hopps:cache:{version}:{salted_hmac('hopps.caches', key, algorithm='sha256').hexdigest()}"


class SharedCache(BaseCache):
    """Redis; and this process's own memory while Redis is away."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        # Django makes a cache for each request. The connections, and the memory, are the process's.
        self._in_redis, self._here = _caches(server)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep `value` unless there is one; return whether it was kept."""
        return self._ask(lambda cache: cache.add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return what is kept."""
        return self._ask(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keep `value`."""
        self._ask(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep what is kept for `timeout` seconds more; return whether there was something."""
        return self._ask(lambda cache: cache.touch(key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget what is kept; return whether there was something."""
        return self._ask(lambda cache: cache.delete(key, version))

    def clear(self) -> None:
        """Forget what this process kept. Not what is in Redis: Django would empty all of it, and jobs are there too."""
        self._here.clear()

    def _ask(self, question: Callable[[BaseCache], Answer]) -> Answer:
        return shared.ask(partial(question, self._in_redis), otherwise=partial(question, self._here))


@cache
def _caches(server: str) -> tuple[RedisCache, LocMemCache]:
    key = {"KEY_FUNCTION": hidden_key}
    return (
        RedisCache(server, {**key, "OPTIONS": connection()}),
        LocMemCache("while Redis is away", {**key, "OPTIONS": {"MAX_ENTRIES": MOST_KEPT}}),
    )
