"""The headers that tell browsers to be careful, on every answer. What they say of single pages: `hopps.browser_policy`."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django_permissions_policy import PermissionsPolicyMiddleware

from hopps.browser_policy import more_for, permissions

CSP = "Content-Security-Policy"
PERMISSIONS = "Permissions-Policy"


def _name_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match is not None else ""


class ContentSecurity(CSPMiddleware):
    """django-csp's middleware, which asks `more_for`."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> PolicyParts:
        """Return the policy of this answer."""
        parts = super().get_policy_parts(request, response, report_only)
        more = more_for(_name_of(request))
        update = dict(more.directives)
        # With the keys gone no call goes by Twilio; with VIDEO=peer those accepted before still do.
        if more.twilio and settings.TWILIO_API_KEY_SID:
            update["connect-src"] = (*update.get("connect-src", ()), *settings.TWILIO_VIDEO_HOSTS)
        parts.update = {**(parts.update or {}), **update}
        return parts


class Permissions(PermissionsPolicyMiddleware):
    """django-permissions-policy's middleware, which asks `more_for`; a sync one, as the rest of ours."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        features = more_for(_name_of(request)).features
        response[PERMISSIONS] = self.compute_header_value(permissions(*features), name="MORE")
        return response


class KeptByNobody(MiddlewareMixin):
    """Keeps pages out of caches: after signing out, Back shows nothing of what was there.

    Whoever has a session may be signed in; asking who it is would ask the database, which may be away. An answer that says
    itself how long it may be kept is left as it is.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the header where there is none."""
        known = settings.SESSION_COOKIE_NAME in request.COOKIES or settings.SESSION_COOKIE_NAME in response.cookies
        response.headers.setdefault("Cache-Control", "private, no-store" if known else "private, no-cache")
        return response


class EveryAnswer:
    """ASGI middleware around all of HTTP: what an answer lacks of these headers, it gets.

    Django's middleware sees most answers. Those that are given before Django, and whatever may come later, are to be as
    tight: they load nothing.
    """

    def __init__(self, application: Any, *, static_prefix: str) -> None:
        """Stand before `application`.

        Args:
            static_prefix: paths below it are files: no pages, so that what a page may do is not said; a room fetches fifty.
        """
        self.application = application
        self.static_prefix = static_prefix
        self.headers = [(name.lower().encode(), value.encode()) for name, value in _of_every_answer().items()]
        of_any = {b"x-content-type-options", b"strict-transport-security"}
        self.of_files = [one for one in self.headers if one[0] in of_any]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def answered(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                is_file = scope["path"].startswith(self.static_prefix) and message["status"] < 400
                headers = self.of_files if is_file else self.headers
                given = list(message.get("headers", ()))
                names = {bytes(name).lower() for name, _ in given}
                message = {**message, "headers": given + [one for one in headers if one[0] not in names]}
            await send(message)

        await self.application(scope, receive, answered)


def _of_every_answer() -> dict[str, str]:
    headers = {
        CSP: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        PERMISSIONS: PermissionsPolicyMiddleware.compute_header_value(permissions(), name="FEATURES"),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Permitted-Cross-Domain-Policies": "none",
    }
    if settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = hsts()
    return headers


def hsts() -> str:
    """Return the header by which browsers come by https alone, as Django's SecurityMiddleware says it."""
    return (
        f"max-age={settings.SECURE_HSTS_SECONDS}"
        + ("; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else "")
        + ("; preload" if settings.SECURE_HSTS_PRELOAD else "")
    )
