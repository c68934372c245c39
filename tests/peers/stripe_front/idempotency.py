"""Idempotency keys as Stripe documents them: the first answer is kept, and given again."""

import threading
from dataclasses import dataclass

from tests.peers.stripe_front.errors import StripeError


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    request_id: str


@dataclass
class _Used:
    request: str
    answer: Answer | None = None


class IdempotencyKeys:
    """The keys used so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, _Used] = {}

    def begin(self, key: str, request: str) -> Answer | None:
        """Take the key for a request; return the kept answer when it has one.

        Args:
            key: as the client made it.
            request: what was asked, the same text for the same parameters.

        Raises StripeError when the key served other parameters (400), or serves a request that is not done (409).
        """
        with self._lock:
            used = self._used.get(key)
            if used is None:
                self._used[key] = _Used(request)
                return None
            if used.request != request:
                raise StripeError(
                    400,
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                    f"Try using a key other than '{key}' if you meant to execute a different request.",
                )
            if used.answer is None:
                raise StripeError(
                    409,
                    "invalid_request_error",
                    f"There is currently another in-progress request using this Idempotency-Key: {key}.",
                    code="idempotency_key_in_use",
                )
            return used.answer

    def keep(self, key: str, answer: Answer) -> None:
        """Keep the answer for the next time."""
        with self._lock:
            if key in self._used:
                self._used[key].answer = answer

    def give_up(self, key: str) -> None:
        """Free the key: nothing was done under it."""
        with self._lock:
            self._used.pop(key, None)
