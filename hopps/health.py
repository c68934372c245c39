"""Is this process alive, and can it serve?"""

from django.db import connection
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process can reach its database; 503 with the reason when it cannot."""
    try:
        with connection.cursor():
            return JsonResponse({"ok": True})
    except Exception as problem:
        return JsonResponse({"ok": False, "database": str(problem)}, status=503)
