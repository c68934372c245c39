"""The expert's board."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.experts import set_availability
from accounts.http import allowed, expert_of, signed_in
from accounts.permissions import Do
from accounts.reach import morning_of
from hopps.errors import Refused
from hopps.http import done, refused
from sessions_app.matching import as_open_request, live_session_of, requests_for


@login_required
@require_safe
@allowed(Do.USE_BOARD)
def board(request: HttpRequest) -> HttpResponse:
    """Availability, sound, and the requests open now."""
    user = signed_in(request)
    expert = expert_of(request)
    shown = requests_for(user) if expert.is_listening else []
    context = {
        "expert": expert,
        "requests": [as_open_request(session) for session in shown],
        "live_session": live_session_of(user),
        "morning": morning_of(expert),
        "topics": list(expert.topics.select_related("topic")),
    }
    return render(request, "experts/board.html", context)


@login_required
@require_POST
@allowed(Do.USE_BOARD)
def availability(request: HttpRequest) -> HttpResponse:
    """Turn the switch."""
    try:
        set_availability(user=signed_in(request), available=request.POST.get("available") == "1")
    except Refused as refusal:
        return refused(request, refusal, to=reverse("board"))
    return done(request, to=reverse("board"))
