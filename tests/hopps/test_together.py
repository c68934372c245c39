"""What many sockets ask at once is read once."""

import asyncio
from collections.abc import Collection

import pytest
from asgiref.sync import async_to_sync

from hopps.realtime.together import Together

pytestmark = pytest.mark.django_db


def test_who_asks_while_a_reading_is_under_way_is_answered_by_the_next_which_is_one_for_all() -> None:
    readings: list[list[int]] = []

    def read(numbers: Collection[int]) -> dict[int, int]:
        readings.append(sorted(numbers))
        return {number: number * number for number in numbers}

    async def journey() -> list[int]:
        squares = Together(read)
        first = asyncio.ensure_future(squares.ask(1))
        while not readings:
            await asyncio.sleep(0)
        return list(await asyncio.gather(first, squares.ask(2), squares.ask(3), squares.ask(2), squares.ask(1)))

    assert async_to_sync(journey)() == [1, 4, 9, 4, 1]
    assert readings == [[1], [1, 2, 3]]


def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    async def journey() -> str:
        names: Together[int, str] = Together(lambda asked: dict.fromkeys(asked, "Eve"))
        one, other = (asyncio.ensure_future(names.ask(1)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        return await other

    assert async_to_sync(journey)() == "Eve"


def test_a_reading_that_failed_is_everybodys_failure_and_the_next_is_read_anew() -> None:
    fails = True

    def read(asked: Collection[int]) -> dict[int, str]:
        if fails:
            raise OSError("The database is away.")
        return dict.fromkeys(asked, "back")

    async def journey() -> str:
        nonlocal fails
        answers = Together(read)
        failed = await asyncio.gather(answers.ask(1), answers.ask(2), return_exceptions=True)
        assert [str(problem) for problem in failed] == ["The database is away."] * 2
        fails = False
        return await answers.ask(1)

    assert async_to_sync(journey)() == "back"
