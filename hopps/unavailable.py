"""What people see while the database cannot be reached."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as default_server_error

# Seconds after which a browser, or whoever calls a webhook, may come again.
COME_AGAIN = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view could: 503 where the database is away, which passes by itself; else 500, a fault of ours.

    Neither page asks the database for anything.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return default_server_error(request)
    headers = {"Retry-After": str(COME_AGAIN)}
    # What was sent by a form is sent again by a person alone.
    looks_again = request.method == "GET"
    if looks_again:
        headers["Refresh"] = str(COME_AGAIN)
    return HttpResponse(render_to_string("503.html", {"looks_again": looks_again}), status=503, headers=headers)
