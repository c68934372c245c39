"""What a page may send, and what it is told when it may not."""

import asyncio
import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from hopps.limits import Limit
from hopps.rates import Rate
from hopps.realtime import sockets
from hopps.realtime.hub import hub
from tests.hopps.pages import Page, Said, Say, TestSocket, open_page

# Channels closes old database connections before each message.
pytestmark = pytest.mark.django_db
# Channels closes connections to the database that are too old before each message, whichever test left one open.
pytestmark = pytest.mark.django_db

ALICE = uuid4()


@pytest.fixture
def few_lines(settings: Settings) -> None:
    """Two lines an hour for one person."""
    settings.LIMITS = settings.LIMITS | {Limit.CONNECT: Rate("2/hour", 5, "Too many.")}


def answer_to(text: str) -> dict[str, str]:
    """Return the event a page gets for sending `text`."""

    async def ask() -> dict[str, str]:
        async with open_page(ALICE) as page:
            page.say(text)
            await page.until_heard(1)
            answer: dict[str, str] = json.loads(page.texts[0])
            return answer

    return async_to_sync(ask)()


def test_a_message_reaches_the_method_of_its_type() -> None:
    assert answer_to('{"type": "say", "words": "hello"}') == {"type": "said", "words": "hello"}


@pytest.mark.parametrize(
    ("text", "what_is_wrong"),
    [
        ("{", "could not be read"),
        ("", "could not be read"),
        ("[]", "Expected `object`"),
        ('"say"', "Expected `object`"),
        ("{}", "missing required field `type`"),
        ('{"type": "shout", "words": "x"}', "Invalid value 'shout'"),
        ('{"type": "say"}', "missing required field `words`"),
        ('{"type": "say", "words": 7}', "Expected `str`, got `int` - at `$.words`"),
        ('{"type": "say", "words": "x", "loud": true}', "unknown field `loud`"),
        ('{"type": "say", "words": "\ud800"}', "could not be read"),
        ('{"type": "say", "words": "' + "x" * sockets.MESSAGE_BYTES_ALLOWED + '"}', "too large"),
        ("[" * 10_000, "could not be read"),
    ],
)
def test_a_bad_message_is_answered_with_what_is_wrong(text: str, what_is_wrong: str) -> None:
    answer = answer_to(text)

    assert answer["type"] == "error"
    assert what_is_wrong in answer["message"]


def _run(test: Callable[[Page], object], *, admitted: bool = True) -> None:
    async def run() -> None:
        async with open_page(ALICE, admitted=admitted) as page:
            await test(page)  # type: ignore[misc]

    async_to_sync(run)()


def test_bytes_are_refused_in_a_sentence() -> None:
    async def send_bytes(page: Page) -> None:
        page.to_server.put_nowait({"type": "websocket.receive", "bytes": b"\x00"})
        await page.until_heard(1)
        assert json.loads(page.texts[0])["type"] == "error"

    _run(send_bytes)


def test_a_flood_is_cut() -> None:
    async def flood(page: Page) -> None:
        for _ in range(sockets.MESSAGES_ALLOWED + 1):
            page.say('{"type": "ping"}')
        assert await page.until_closed() == sockets.FLOODED
        assert page.texts == []

    _run(flood)


def test_a_sign_of_life_is_noted_and_not_answered() -> None:
    async def ping(page: Page) -> None:
        before = page.socket.last_heard
        page.say('{"type": "ping"}')
        page.say('{"type": "say", "words": "x"}')
        await page.until_heard(1)
        assert page.words == ["x"]
        assert page.socket.last_heard > before

    _run(ping)


def test_who_is_not_admitted_is_refused_before_hearing_anything() -> None:
    async def refused(page: Page) -> None:
        await page.until_closed()
        assert page.texts == []

    _run(refused, admitted=False)


async def _fail(socket: TestSocket, message: Say) -> None:
    raise ZeroDivisionError


def test_a_message_that_fails_is_answered_and_the_socket_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TestSocket, "on_say", _fail)

    async def fail_twice(page: Page) -> None:
        for number in (1, 2):
            page.say('{"type": "say", "words": "x"}')
            await page.until_heard(number)
            assert "did not work" in json.loads(page.texts[-1])["message"]

    _run(fail_twice)


def test_a_socket_that_ends_by_an_exception_is_forgotten_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = []

    async def gone(socket: TestSocket, code: int) -> None:
        codes.append(code)
        raise ZeroDivisionError

    monkeypatch.setattr(TestSocket, "gone", gone)

    async def break_it() -> None:
        with pytest.raises(ValueError, match="No handler"):
            async with open_page(ALICE) as page:
                page.to_server.put_nowait({"type": "websocket.nonsense"})

    async_to_sync(break_it)()
    assert codes == [sockets.LOST]
    assert not list(hub.sockets("a"))
    assert not list(hub.sockets(sockets.person_audience(ALICE)))


def test_what_is_pushed_while_a_snapshot_is_read_comes_after_it() -> None:
    async def read(page: Page) -> None:
        async with page.socket.holding_back() as snapshot:
            page.socket.tell(Said(words="newer"))
            await asyncio.sleep(0)
            snapshot.append(Said(words="snapshot"))
        page.socket.tell(Said(words="last"))
        await page.until_heard(3)
        assert page.words == ["snapshot", "newer", "last"]

    _run(read)


def test_work_that_ends_after_the_socket_does_not_bring_it_back() -> None:
    cancelled = []

    async def leave_with_work_under_way() -> None:
        async def linger() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async with open_page(ALICE) as page:
            page.socket.later(linger())
            await asyncio.sleep(0)
        page.socket.listen_to("a")
        await asyncio.sleep(0)

    async_to_sync(leave_with_work_under_way)()
    assert cancelled == [True]
    assert not list(hub.sockets("a"))


def test_one_person_has_so_many_pages_open_at_one_process_and_others_are_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SOCKETS_ALLOWED", 2)

    async def journey() -> None:
        async with open_page(ALICE) as first, open_page(ALICE), open_page(ALICE) as third, open_page(uuid4()) as bobs:
            await third.until_closed()
            for page in (first, bobs):
                page.say('{"type": "say", "words": "still here"}')
                await page.until_heard(1)
        async with open_page(ALICE) as again:
            again.say('{"type": "say", "words": "there is room again"}')
            await again.until_heard(1)

    async_to_sync(journey)()


@pytest.mark.usefixtures("few_lines")
def test_a_page_that_connects_again_and_again_is_not_let_in_for_a_while() -> None:
    async def journey() -> None:
        for _ in range(2):
            async with open_page(ALICE) as page:
                page.say('{"type": "say", "words": "hello"}')
                await page.until_heard(1)
        async with open_page(ALICE) as third, open_page(uuid4()) as bobs:
            await third.until_closed()
            bobs.say('{"type": "say", "words": "hello"}')
            await bobs.until_heard(1)

    async_to_sync(journey)()


def test_all_pages_of_one_person_together_may_say_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PERSON_MESSAGES_ALLOWED", 35)

    async def journey() -> None:
        async with open_page(ALICE) as first, open_page(ALICE) as second, open_page(uuid4()) as bobs:
            for page in (first, bobs):
                for _ in range(20):
                    page.say('{"type": "say", "words": "x"}')
                await page.until_heard(20)
            for _ in range(20):
                second.say('{"type": "say", "words": "x"}')
            assert await second.until_closed() == sockets.FLOODED
            assert bobs.code is None

    async_to_sync(journey)()
