"""Where requests and sockets come in."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
http = get_asgi_application()

from hopps.body_limit import BodyLimit  # noqa: E402  Django must be set up first
from hopps.jobs import start_worker_in_this_process  # noqa: E402
from hopps.nul import NoNul  # noqa: E402
from hopps.realtime.sockets import DirectSend  # noqa: E402
from hopps.seen import SeenRequests, SeenSockets  # noqa: E402
from hopps.urls import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": SeenRequests(
            BodyLimit(
                NoNul(http),
                most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0,
                larger={
                    r"/sessions/[0-9a-f-]{36}/files/": settings.UPLOAD_BYTES,
                    # A form, and a little more than the picture in it.
                    r"/settings/photo/": settings.UPLOAD_BYTES + 64 * 1024,
                },
            ),
            static_prefix=settings.STATIC_URL,
            log=settings.ACCESS_LOG,
        ),
        "websocket": DirectSend(
            NoNul(AllowedHostsOriginValidator(AuthMiddlewareStack(SeenSockets(URLRouter(websocket_urlpatterns)))))
        ),
    }
)
start_worker_in_this_process()
