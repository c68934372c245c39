"""Every request and socket gets an id and is counted; with ACCESS_LOG=1 a request leaves one line. Used by hopps.asgi."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from hopps import logs, metrics

access = logging.getLogger("hopps.access")

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
ID_HEADER = b"x-request-id"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SeenRequests:
    """ASGI middleware around all of HTTP."""

    def __init__(self, application: Any, *, static_prefix: str, log: bool) -> None:
        """Stand before `application`.

        Args:
            static_prefix: paths below it are files, one route together.
            log: whether each request leaves a line in the log.
        """
        self.application = application
        self.static_prefix = static_prefix
        self.log = log

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        began = time.perf_counter()
        status = 500

        async def answered(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = _with_id(message, request_id)
            await send(message)

        request_id = _given_id(scope) or logs.new_id()
        with logs.about(request=request_id) as known:
            try:
                await self.application(scope, receive, answered)
            finally:
                seconds = time.perf_counter() - began
                method = scope["method"] if scope["method"] in METHODS else "other"
                route = known.get("route") or ("static" if scope["path"].startswith(self.static_prefix) else "none")
                metrics.REQUESTS.labels(method, route, f"{status // 100}xx").inc()
                metrics.REQUEST_SECONDS.labels(route).observe(seconds)
                if self.log:
                    fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
                    access.info("%s %s %d %d ms", *fields.values(), extra={"fields": fields})


class SeenSockets:
    """ASGI middleware around the websockets, inside of what finds out who is there."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Only what has been accepted is counted, and so every kind is one of ours: /ws/<kind>/…
        kind = (scope["path"].split("/") + [""] * 3)[2]
        opened = False

        async def counted(message: dict[str, Any]) -> None:
            nonlocal opened
            if message["type"] == "websocket.accept":
                opened = True
                metrics.SOCKETS.labels(kind).inc()
                message = _with_id(message, request_id)
            await send(message)

        request_id = _given_id(scope) or logs.new_id()
        with logs.about(request=request_id, socket=kind):
            if user := getattr(scope.get("user"), "pk", None):
                logs.note(person=str(user))
            if session := _UUID.search(scope["path"]):
                logs.note(session=session[0])
            try:
                await self.application(scope, receive, counted)
            finally:
                if opened:
                    metrics.SOCKETS.labels(kind).dec()


class NotedView(MiddlewareMixin):
    """Django middleware: says which view it is, about which session, and who asks."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        match = request.resolver_match
        if match is not None:
            logs.note(route=match.view_name or "unnamed")
        if "session_id" in kwargs:
            logs.note(session=str(kwargs["session_id"]))
        # accounts.middleware has read who it is already.
        if request.user.is_authenticated:
            logs.note(person=str(request.user.pk))


def _with_id(message: dict[str, Any], request_id: str) -> dict[str, Any]:
    return {**message, "headers": [*message.get("headers", ()), (ID_HEADER, request_id.encode())]}


def _given_id(scope: dict[str, Any]) -> str:
    """Return the id that the proxy or the caller gave, or nothing."""
    given = dict(scope["headers"]).get(ID_HEADER, b"").decode("latin-1")
    return given if logs.SANE_ID.fullmatch(given) else ""
