"""Small pieces every view stands on."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from hopps.errors import Refused


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's JavaScript asks, and not a plain form."""
    return request.headers.get("Accept") == "application/json"


def public_url(path: str) -> str:
    """Return the full address of a page of ours, for mails and for those who send people back to us."""
    return f"{settings.PUBLIC_URL}{path}"


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
    """Answer an action a rule refused: 409 with the sentence for JavaScript, otherwise the sentence on the page `to`."""
    if wants_json(request):
        return JsonResponse({"error": refusal.sentence}, status=409)
    messages.error(request, refusal.sentence)
    return redirect(to)
