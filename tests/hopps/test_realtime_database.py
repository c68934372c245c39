"""Sockets ask the database over a connection that stays open."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from accounts.models import User
from hopps.realtime.database import database_sync_to_async

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "mongodb", reason="MongoDB's driver keeps a process's connections itself"),
]


@pytest.fixture
def opened() -> Any:
    """How often a connection was opened."""
    times: list[object] = []

    def note(sender: object, **kwargs: object) -> None:
        times.append(sender)

    connection.close()
    connection_created.connect(note)
    yield times
    connection_created.disconnect(note)


def test_one_call_after_the_other_uses_the_same_connection(opened: list[object]) -> None:
    async def journey() -> None:
        for _ in range(3):
            await database_sync_to_async(User.objects.count)()

    async_to_sync(journey)()
    assert len(opened) == 1


def test_an_old_connection_is_opened_anew(opened: list[object]) -> None:
    async def journey() -> None:
        await database_sync_to_async(User.objects.count)()
        await sync_to_async(setattr)(connection, "close_at", 0.0)
        await database_sync_to_async(User.objects.count)()

    async_to_sync(journey)()
    assert len(opened) == 2


def test_work_on_another_thread_gives_its_connection_back() -> None:
    """Kept, it would be missing from the pool for as long as the thread has nothing to do, and for good when it ends."""

    def ask() -> BaseDatabaseWrapper:
        User.objects.count()
        theirs: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        assert theirs.connection is not None
        return theirs

    async def journey() -> BaseDatabaseWrapper:
        theirs: BaseDatabaseWrapper = await database_sync_to_async(ask, thread_sensitive=False)()
        return theirs

    assert async_to_sync(journey)().connection is None
