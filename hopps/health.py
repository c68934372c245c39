"""Is this process alive, and can it serve?"""

import threading

from django.db import connection
from django.http import HttpRequest, JsonResponse

# Set when this process was told to stop: it finishes what it has, and whoever asks is to go to another process.
draining = threading.Event()


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process can reach its database; 503 with the reason when it cannot or is about to stop."""
    if draining.is_set():
        return JsonResponse({"ok": False, "draining": True}, status=503)
    try:
        with connection.cursor():
            return JsonResponse({"ok": True})
    except Exception as problem:
        return JsonResponse({"ok": False, "database": str(problem)}, status=503)
