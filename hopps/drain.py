"""A web process that is told to stop while others serve: its pages go there first, and nobody notices (decision 0022)."""

import asyncio
import time
from collections.abc import Callable

from django.conf import settings

from hopps.health import draining
from hopps.realtime.hub import HubSocket, hub
from hopps.realtime.messages import GO_ELSEWHERE

# The pages are told over so long, in seconds: they do not all knock at the others' door in one moment.
SPREAD_SECONDS = 3.0
# A line of a call is let go of when the new one has its place; the others' after 5 s (static/js/lib/socket.js).
PATIENCE_SECONDS = 6.0
TICK_SECONDS = 0.05
AT_LEAST_AT_ONCE = 5


async def drain(*, is_hurried: Callable[[], bool]) -> None:
    """Say that this process is not ready, and have its pages go elsewhere; return when they have, or have had the time.

    Args:
        is_hurried: asked again and again; once it is true, nobody is waited for.
    """
    draining.set()
    if not settings.REDIS_URL:
        # There is no other process to go to.
        return
    noticed = time.monotonic() + settings.DRAIN_NOTICE_SECONDS
    while time.monotonic() < noticed and not is_hurried():
        await asyncio.sleep(TICK_SECONDS)
    told: set[HubSocket] = set()
    ends = time.monotonic() + SPREAD_SECONDS + PATIENCE_SECONDS
    at_once = max(AT_LEAST_AT_ONCE, round(len(hub.all_sockets()) * TICK_SECONDS / SPREAD_SECONDS))
    while (sockets := hub.all_sockets()) and time.monotonic() < ends and not is_hurried():
        # Also those who came only now, before their proxy heard of it.
        told &= sockets
        for socket in list(sockets - told)[:at_once]:
            socket.push(GO_ELSEWHERE)
            told.add(socket)
        await asyncio.sleep(TICK_SECONDS)
