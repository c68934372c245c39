"""The pages of errors: what cannot be read, is not for somebody, is not there, and what no view could answer.

They are Django's own, without its check against forgery, which they pass through for their sign-out button's sake: it reads
the form, and a form that cannot be read (in another encoding, or with too many files) would fail a second time, with nobody
left to answer. The button's token is there without it.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

# Seconds after which a browser, or whoever calls a webhook, may come again.
COME_AGAIN = 10


def _as_it_is(view: Any) -> Callable[..., HttpResponse]:
    plain: Callable[..., HttpResponse] = view.__wrapped__

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return plain(request, *args, **kwargs)
        finally:
            # The page's header asks who is there, and Django makes these pages on threads of their own, at whose end nobody
            # gives a connection back to PostgreSQL's pool.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()

    return page


bad_request = _as_it_is(defaults.bad_request)
permission_denied = _as_it_is(defaults.permission_denied)
page_not_found = _as_it_is(defaults.page_not_found)
_server_error = _as_it_is(defaults.server_error)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view could: 503 where the database is away, which passes by itself; else 500, a fault of ours.

    Neither page asks the database for anything.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _server_error(request)
    headers = {"Retry-After": str(COME_AGAIN)}
    # What was sent by a form is sent again by a person alone.
    looks_again = request.method == "GET"
    if looks_again:
        headers["Refresh"] = str(COME_AGAIN)
    return HttpResponse(render_to_string("503.html", {"looks_again": looks_again}), status=503, headers=headers)
