"""Answers what many sockets ask at the same time with one reading of the database."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from hopps.realtime.database import database_sync_to_async

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Together(Generic[Key, Answer]):
    """A question that many sockets ask. Whoever asks while a reading is under way is answered by the next.

    So the more ask at once the less each costs: a thousand pages that come back together after a restart are a few
    readings, and not a thousand.
    """

    def __init__(self, read: Callable[[Collection[Key]], Mapping[Key, Answer]]) -> None:
        """Describe it; `read` returns the answers of all it is asked for. It may use the database."""
        self._read = read
        self._loop: asyncio.AbstractEventLoop | None = None

    def _start_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked: dict[Key, asyncio.Future[Answer]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Answer:
        """Return the answer for `key`, read after this was asked. Raises what the reading raised."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._start_on(loop)
        answer = self._asked.setdefault(key, loop.create_future())
        if self._reading is None or self._reading.done():
            self._reading = loop.create_task(self._read_on())
        # One who goes away does not take the answer from the others who asked the same.
        return await asyncio.shield(answer)

    async def _read_on(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                answers = await database_sync_to_async(self._read)(list(asked))
                for key, answer in asked.items():
                    answer.set_result(answers[key])
            except Exception as problem:
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(problem)
