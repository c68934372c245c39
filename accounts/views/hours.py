"""When messages reach an expert, and whether sound, microphone and camera work."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts import applying
from accounts.experts import week_of
from accounts.forms.hours import HoursForm, with_monday_on_workdays
from accounts.hours_words import messages_now
from accounts.http import allowed, signed_in
from accounts.models import ExpertProfile
from accounts.permissions import Do
from hopps.errors import Refused


@login_required
@allowed(Do.SEE_OWN)
def hours(request: HttpRequest) -> HttpResponse:
    """The hours editor: the whole week is saved at once."""
    user = signed_in(request)
    expert = ExpertProfile.objects.filter(user=user).first()
    if expert is None:
        return redirect("expert_apply")
    there = week_of(expert)
    copied = request.method == "POST" and "copy" in request.POST
    data: QueryDict | None = with_monday_on_workdays(request.POST) if copied else request.POST
    form = HoursForm(data if request.method == "POST" else None, user=user, hours=there)
    if request.method == "POST" and form.is_valid() and not copied:
        try:
            applying.set_hours(user=user, expert=expert, hours=form.stretches, time_zone=form.cleaned_data["time_zone"])
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "Saved.")
            return redirect("expert_hours")
    context = {
        "hours_form": form,
        "copied": copied,
        "messages_now": messages_now(there, user.time_zone, timezone.now()),
    }
    return render(request, "experts/hours.html", context, status=422 if form.errors else 200)


@login_required
@allowed(Do.SEE_OWN)
def check(request: HttpRequest) -> HttpResponse:
    """The sound and device test; POST says that all works."""
    user = signed_in(request)
    expert = ExpertProfile.objects.filter(user=user).first()
    if expert is None:
        return redirect("expert_apply")
    if request.method == "POST":
        applying.devices_work(user=user)
        messages.success(request, "Noted: you say that sound and devices work. Test again whenever you change them.")
        return redirect("board")
    return render(request, "experts/check.html", {"expert": expert})
