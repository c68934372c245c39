"""Limits where requests come in: `@limited` for a view, and one answer for all of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from hopps import limits
from hopps.http import too_often
from hopps.limits import Limit, TooOften

View = Callable[..., HttpResponseBase]


def address_of(request: HttpRequest) -> str:
    """Return the IP address a request came from: what the server took it for.

    `hopps.server` believes forwarded headers of TRUSTED_PROXIES alone; what anybody else claims in them is not looked at.
    """
    address: str = request.META.get("REMOTE_ADDR") or ""
    return address


def spend(request: HttpRequest, limit: Limit) -> None:
    """Count that whoever sent `request` does what `limit` is about. Raises TooOften."""
    limits.spend(limit, **_who(request))


def check(request: HttpRequest, limit: Limit) -> None:
    """Look whether `spend` would be too often, and count nothing. Raises TooOften."""
    limits.check(limit, **_who(request))


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"person": request.user.pk if request.user.is_authenticated else None, "address": address_of(request)}


def limited(limit: Limit, *, methods: tuple[str, ...] = ("POST",)) -> Callable[[View], View]:
    """Let a view be asked so often only. It goes above what else decorates the view.

    Args:
        limit: what the view does.
        methods: which requests count: those that do it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in methods:
                spend(request, limit)
            return view(request, *args, **kwargs)

        return counted

    return decorate


class AnswerTooOften(MiddlewareMixin):
    """Django middleware: answers TooOften, wherever below a view it was raised."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return too_often(request, exception) if isinstance(exception, TooOften) else None
