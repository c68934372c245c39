"""Where requests and sockets come in."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
http = get_asgi_application()

from hopps.body_limit import BodyLimit  # noqa: E402  Django must be set up first
from hopps.browser_policy import REPORTS  # noqa: E402
from hopps.checks import stop_where_unfit  # noqa: E402
from hopps.csp_reports import REPORT_BYTES  # noqa: E402
from hopps.headers import EveryAnswer  # noqa: E402
from hopps.jobs import start_worker_in_this_process  # noqa: E402
from hopps.nul import NoNul  # noqa: E402
from hopps.origins import OwnOriginsOnly  # noqa: E402
from hopps.realtime.sockets import DirectSend  # noqa: E402
from hopps.seen import SeenRequests, SeenSockets  # noqa: E402
from hopps.urls import websocket_urlpatterns  # noqa: E402

# Here, so that no server gets the application where production must not start, whichever program serves it.
stop_where_unfit()
application = ProtocolTypeRouter(
    {
        "http": SeenRequests(
            EveryAnswer(
                BodyLimit(
                    NoNul(http),
                    most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0,
                    other={
                        r"/sessions/[0-9a-f-]{36}/files/": settings.UPLOAD_BYTES,
                        # A form, and a little more than the picture in it.
                        r"/settings/photo/": settings.UPLOAD_BYTES + 64 * 1024,
                        REPORTS: REPORT_BYTES,
                    },
                ),
                static_prefix=settings.STATIC_URL,
            ),
            static_prefix=settings.STATIC_URL,
            log=settings.ACCESS_LOG,
        ),
        "websocket": DirectSend(NoNul(OwnOriginsOnly(AuthMiddlewareStack(SeenSockets(URLRouter(websocket_urlpatterns)))))),
    }
)
start_worker_in_this_process()
