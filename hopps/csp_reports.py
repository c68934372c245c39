"""What browsers report that our Content-Security-Policy stopped: one line in the log, which says where and nothing more.

Anybody can send such a report, and much of what honest browsers send is an extension's doing. So it is a hint for operators:
nothing of it is kept as it came, and there are only so many lines a minute.
"""

import json
import logging
import re
import time
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from hopps.everybody import for_everybody

logger = logging.getLogger(__name__)

REPORT_BYTES = 16 * 1024
LINES_A_MINUTE = 20
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")
# What stands for code and styles within the page; else there is an address.
_KEYWORDS = frozenset({"inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-sink", "trusted-types-policy"})


class _Minute:
    """How many lines this process has written in the minute that runs."""

    began = 0.0
    lines = 0

    @classmethod
    def has_room(cls) -> bool:
        now = time.monotonic()
        if now - cls.began > 60:
            cls.began, cls.lines = now, 0
        cls.lines += 1
        return cls.lines <= LINES_A_MINUTE


@for_everybody
@csrf_exempt  # browsers send it by themselves, without a token
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Take a report: 204, or 400 for what is none."""
    line = line_of(request.body)
    if line is None:
        return HttpResponse("That is not a report of a policy.", content_type="text/plain", status=400)
    if _Minute.has_room():
        logger.warning("%s", line)
    return HttpResponse(status=204)


def line_of(body: bytes) -> str | None:
    """Return what the log says of a report; None where `body` is none.

    Args:
        body: JSON as `report-uri` has browsers send it (https://www.w3.org/TR/CSP3/#deprecated-serialize-violation).
    """
    try:
        told = json.loads(body)["csp-report"]
        directive = told.get("effective-directive") or told["violated-directive"].split(" ")[0]
        blocked, page = told.get("blocked-uri", ""), told["document-uri"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if not (isinstance(directive, str) and isinstance(blocked, str) and isinstance(page, str)):
        return None
    if not _DIRECTIVE.fullmatch(directive):
        return None
    return f"Content-Security-Policy stopped {_place_of(blocked)} on {_page_of(page)}: {directive}"


def _place_of(blocked: str) -> str:
    """Return where what was stopped is from: no path or query, which may hold what is secret."""
    if blocked in _KEYWORDS:
        return blocked
    parts = _split(blocked)
    if parts is None or not re.fullmatch(r"[a-z][a-z0-9+.-]{0,20}", parts.scheme):
        return "something"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,100}", host) else f"{parts.scheme}:"


def _page_of(address: str) -> str:
    """Return the name of the page's address, as logs have it; "a page" where it is none of ours."""
    parts = _split(address)
    try:
        return resolve(parts.path).view_name or "a page" if parts is not None else "a page"
    except Resolver404:
        return "a page"


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
