"""Asking the Redis that all processes share, where the question must neither fail nor keep anybody waiting.

While Redis is away, each process answers from a memory of its own: what is counted there is less than the truth, and the
site goes on.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# Redis that takes longer counts as away, in seconds; and so long after that it is asked again.
ANSWER_SECONDS = 0.5
AGAIN_SECONDS = 5.0


def connection() -> dict[str, Any]:
    """Return what a client of Redis is made with, beside its address."""
    return {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


class Shared:
    """Knows whether Redis is away, so that one request finds out and not each of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False
        self._again_at = 0.0

    def ask(self, question: Callable[[], Answer], *, otherwise: Callable[[], Answer]) -> Answer:
        """Return what Redis answers to `question`; while it is away, what `otherwise` does."""
        if self._away and not self._is_to_try():
            return otherwise()
        try:
            answer = question()
        except RedisError as problem:
            self._lost(problem)
            return otherwise()
        if self._away:
            self._found()
        return answer

    def _is_to_try(self) -> bool:
        """Return whether this caller is the one to look whether Redis is back."""
        with self._lock:
            now = time.monotonic()
            if now < self._again_at:
                return False
            self._again_at = now + AGAIN_SECONDS
            return True

    def _lost(self, problem: RedisError) -> None:
        with self._lock:
            was_away, self._away = self._away, True
            self._again_at = time.monotonic() + AGAIN_SECONDS
        if not was_away:
            logger.warning("Redis is away: limits are counted by each process alone until it is back. %s", problem)

    def _found(self) -> None:
        with self._lock:
            was_away, self._away = self._away, False
        if was_away:
            logger.info("Redis is back: limits are counted together again.")


shared = Shared()
