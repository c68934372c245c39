"""Ours: the whole of Hopps, plus an address that opens a request's event on the hub as `sessions_app.live` does."""

import os

from benchmarks.chime.payload import chime
from benchmarks.chime.trigger import with_trigger
from hopps.asgi import application as hopps_application
from hopps.realtime.database import database_sync_to_async
from hopps.realtime.hub import hub

AUDIENCE = os.environ["BENCH_AUDIENCE"]


async def publish(mark: str) -> None:
    """Publish from a worker thread with a database connection, which is where views do it."""
    await database_sync_to_async(hub.publish)(AUDIENCE, chime(mark))


application = with_trigger(hopps_application, publish)
