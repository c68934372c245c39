"""Notifications: turned on and off browser by browser, and the worker that shows them."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import push
from accounts.http import BROWSER_COOKIE, allowed, page_of_ours, signed_in
from accounts.permissions import Do
from accounts.sign_in import devices
from hopps.errors import Refused
from hopps.everybody import for_everybody
from hopps.http import done, wants_json
from hopps.vapid import public_key

# Which of a person's browsers this one is: known where they sign out, and in their list.
_COOKIE_SECONDS = 400 * 24 * 60 * 60
_WORKER = settings.BASE_DIR / "static" / "js" / "service_worker.js"


@login_required
@require_http_methods(["GET", "POST"])
@allowed(Do.USE_BOARD)
def subscribe(request: HttpRequest) -> HttpResponse:
    """Turn notifications on in a browser. Asked with GET: what its worker needs to do that by itself."""
    user = signed_in(request)
    if request.method == "GET":
        return JsonResponse({"key": public_key(settings.VAPID_PRIVATE_KEY), "token": get_token(request)})
    told = _told(request)
    keys = told.get("keys")
    keys = keys if isinstance(keys, dict) else told
    try:
        browser = push.subscribe(
            user=user,
            endpoint=_text(told, "endpoint"),
            p256dh=_text(keys, "p256dh"),
            auth=_text(keys, "auth"),
            device=push.device_name(request.headers.get("User-Agent", "")),
            replaces=_text(told, "replaces"),
        )
    except Refused as refusal:
        return JsonResponse({"error": refusal.sentence}, status=422)
    devices.has_notifications(request, browser=browser.pk)
    answer = JsonResponse({"ok": True, "id": str(browser.pk), "device": str(browser)})
    answer.set_cookie(
        BROWSER_COOKIE,
        str(browser.pk),
        max_age=_COOKIE_SECONDS,
        secure=not settings.DEVELOPMENT,
        httponly=True,
        samesite="Lax",
    )
    return answer


@login_required
@require_POST
@allowed(Do.USE_BOARD)
def unsubscribe(request: HttpRequest) -> HttpResponse:
    """Turn notifications off in one of the person's browsers."""
    user = signed_in(request)
    told = _told(request)
    try:
        browser = UUID(_text(told, "browser"))
    except ValueError:
        return JsonResponse({"error": "Say which browser."}, status=422)
    was_one = push.forget(user=user, browser=browser)
    if not wants_json(request):
        messages.success(request, "That browser shows no notifications any more." if was_one else "It was removed before.")
    return done(request, to=page_of_ours(_text(told, "next"), otherwise=reverse("expert_reach")))


@for_everybody
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows notifications. Never from a cache: a browser that has it asks whether it changed."""
    answer = HttpResponse(_WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer


def _told(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of a form or of a JSON object; nothing where it is neither."""
    if request.content_type != "application/json":
        return dict(request.POST.items())
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
