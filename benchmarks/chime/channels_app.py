"""A peer: what Channels' own documentation leads to. One group, JSON consumers, `group_send`."""

from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-a-benchmark-on-loopback",
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    LOGGING_CONFIG=None,
)
django.setup()

import msgspec  # noqa: E402  Django must be set up first
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402

from benchmarks.chime.payload import chime  # noqa: E402
from benchmarks.chime.trigger import with_trigger  # noqa: E402

GROUP = "experts"


class Board(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """An expert's board."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def chime(self, event: dict[str, Any]) -> None:
        await self.send_json(event["payload"])


async def publish(mark: str) -> None:
    """Send the event to the group."""
    layer: Any = get_channel_layer()
    await layer.group_send(GROUP, {"type": "chime", "payload": msgspec.to_builtins(chime(mark))})


websocket = URLRouter([path("ws/board/", Board.as_asgi())])
application = with_trigger(ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websocket}), publish)
