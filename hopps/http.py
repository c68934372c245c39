"""Small pieces every view stands on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import IO

from django.conf import settings
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from hopps.errors import Refused
from hopps.limits import TooOften, in_words

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


def done_and_said(request: HttpRequest, sentence: str, *, to: str, **more: object) -> HttpResponse:
    """Answer an action that worked with a sentence: in the JSON, with `more` of it, or on the page `to`."""
    if wants_json(request):
        return JsonResponse({"ok": True, "to": to, "said": sentence, **more})
    messages.success(request, sentence)
    return redirect(to)


def refused(request: HttpRequest, refusal: Refused, *, to: str) -> HttpResponse:
    """Answer an action a rule refused: 409 with the sentence for JavaScript, otherwise the sentence on the page `to`.

    What came too often is answered with 429 in both cases.
    """
    if isinstance(refusal, TooOften):
        return too_often(request, refusal)
    if wants_json(request):
        return JsonResponse({"error": refusal.sentence}, status=409)
    messages.error(request, refusal.sentence)
    return redirect(to)


def too_often(request: HttpRequest, refusal: TooOften) -> HttpResponse:
    """Answer what came too often: 429 that says when to come again, for JavaScript with the sentence, else as a page."""
    if wants_json(request):
        answer: HttpResponse = JsonResponse({"error": refusal.sentence}, status=429)
    else:
        context = {"reason": refusal.reason, "wait": in_words(refusal.seconds), "sent": request.method == "POST"}
        answer = render(request, "429.html", context, status=429)
    return come_again(answer, refusal)


def come_again(answer: HttpResponse, refusal: TooOften) -> HttpResponse:
    """Make `answer`, a form shown again for one, the 429 that says when to come again."""
    answer.status_code = 429
    answer["Retry-After"] = str(refusal.seconds)
    answer["Cache-Control"] = "no-store"
    return answer
