"""Whose pages may open a socket here: ours alone.

A browser sends our cookies along with a socket that any page opens, and no rule of its own stops that page from reading the
answers (RFC 6455, 10.2). So the rule is the one Django has for forms (`CsrfViewMiddleware`): the Origin is this very host,
scheme and port included, or one that the settings name. Channels' own check asks for the host's name alone.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain


class OwnOriginsOnly:
    """ASGI middleware: lets no websocket in whose page is not ours, or does not say where it is from."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if is_ours(origins=_values(scope, b"origin"), hosts=_values(scope, b"host")):
            await self.application(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})


def is_ours(*, origins: list[str], hosts: list[str]) -> bool:
    """Return whether a socket asked for with these headers comes from a page of ours.

    Args:
        origins: the values of Origin, as browsers write it: scheme://host, and the port unless it is the usual one.
        hosts: the values of Host.
    """
    if len(origins) != 1:
        return False
    origin = origins[0]
    # In production our cookies travel by https alone, whatever a proxy said of itself.
    scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
    if len(hosts) == 1 and origin == f"{scheme}://{hosts[0]}" and _is_served(hosts[0]):
        return True
    return any(_matches(origin, named) for named in (settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS))


def _is_served(host: str) -> bool:
    name, _ = split_domain_port(host)
    return bool(name) and bool(validate_host(name, settings.ALLOWED_HOSTS))


def _matches(origin: str, named: str) -> bool:
    """Return whether `origin` is `named`, which may be https://*.example.org, as in CSRF_TRUSTED_ORIGINS."""
    scheme, _, host = origin.partition("://")
    wanted = urlsplit(named)
    if scheme != wanted.scheme:
        return False
    if wanted.netloc.startswith("*."):
        return is_same_domain(host, wanted.netloc.removeprefix("*"))
    return host == wanted.netloc.lower()


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
