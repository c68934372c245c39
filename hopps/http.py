"""Small pieces every view stands on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import IO

from django.conf import settings
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from hopps.errors import Refused

PIECE = 64 * 1024  # bytes


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's JavaScript asks, and not a plain form."""
    return request.headers.get("Accept") == "application/json"


def public_url(path: str) -> str:
    """Return the full address of a page of ours, for mails and for those who send people back to us."""
    return f"{settings.PUBLIC_URL}{path}"


def file_response(request: HttpRequest, file: IO[bytes], *, name: str, content_type: str) -> HttpResponseBase:
    """Answer with a file to keep, piece by piece; it is closed in the end. Nobody else keeps a copy.

    Args:
        file: open for reading, at its beginning.
        name: what it is to be called.
        content_type: its media type.
    """
    pieces = _pieces_later(file) if isinstance(request, ASGIRequest) else _pieces(file)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


async def _pieces_later(file: IO[bytes]) -> AsyncIterator[bytes]:
    # Under ASGI a plain iterator is read as a whole before the first byte goes out.
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def done(request: HttpRequest, *, to: str) -> HttpResponse:
    """Answer an action that worked: JSON for the page's JavaScript, otherwise on to the page `to`."""
    return JsonResponse({"ok": True, "to": to}) if wants_json(request) else redirect(to)


def refused(request: HttpRequest, refusal: Refused, *, to: str) -> HttpResponse:
    """Answer an action a rule refused: 409 with the sentence for JavaScript, otherwise the sentence on the page `to`."""
    if wants_json(request):
        return JsonResponse({"error": refusal.sentence}, status=409)
    messages.error(request, refusal.sentence)
    return redirect(to)
