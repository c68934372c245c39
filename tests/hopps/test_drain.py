"""A process that is to stop is not ready any more, and tells each of its pages once to go elsewhere, also who comes late."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from pytest_django import Settings

from hopps import drain
from hopps.health import draining
from hopps.realtime.hub import hub
from tests.hopps.pages import Page, open_page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stops_quickly(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """There are other processes; and this one serves again after the test."""
    settings.DRAIN_NOTICE_SECONDS = 0.1
    monkeypatch.setattr(drain, "SPREAD_SECONDS", 0.2)
    yield
    draining.clear()


def told(page: Page) -> list[str]:
    """Return the types of what a page was told."""
    return [json.loads(text)["type"] for text in page.texts]


def test_each_page_is_told_once_and_the_process_stops_when_all_are_gone(client: Client) -> None:
    async def leave_when_told() -> list[Page]:
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(open_page(uuid4())) for _ in range(40)]
            stopping = asyncio.create_task(drain.drain(is_hurried=lambda: False))
            for page in pages:
                await page.until_heard(1)
            late = await stack.enter_async_context(open_page(uuid4()))
            await late.until_heard(1)
            assert not stopping.done()
        # They have let go of their lines.
        await stopping
        assert hub.all_sockets() == set()
        return [*pages, late]

    assert all(told(page) == ["go_elsewhere"] for page in async_to_sync(leave_when_told)())
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_pages_that_do_not_answer_are_not_waited_for_by_who_is_in_a_hurry() -> None:
    async def be_told_to_hurry() -> Page:
        async with open_page(uuid4()) as page:
            await drain.drain(is_hurried=lambda: bool(page.texts))
            return page

    assert told(async_to_sync(be_told_to_hurry)()) == ["go_elsewhere"]


def test_where_there_is_no_other_process_nobody_is_sent_anywhere(settings: Settings) -> None:
    settings.DRAIN_NOTICE_SECONDS = 0

    async def stop_at_once() -> Page:
        async with open_page(uuid4()) as page:
            await drain.drain(is_hurried=lambda: False)
            return page

    assert told(async_to_sync(stop_at_once)()) == []
