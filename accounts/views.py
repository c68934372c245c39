"""Pages about oneself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import experts
from accounts.forms import ExpertApplicationForm, PersonForm
from accounts.http import signed_in
from accounts.models import ExpertProfile


@login_required
def person_settings(request: HttpRequest) -> HttpResponse:
    """Name and time zone."""
    form = PersonForm(request.POST if request.method == "POST" else None, instance=signed_in(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("person_settings")
    return render(request, "pages/person_settings.html", {"form": form}, status=422 if form.errors else 200)


@login_required
def apply(request: HttpRequest) -> HttpResponse:
    """Become an expert."""
    if ExpertProfile.objects.filter(user=signed_in(request)).exists():
        return redirect("expert_settings")
    return _profile_page(request, "experts/apply.html", "Thank you. An operator looks at your application next.")


@login_required
def expert_settings(request: HttpRequest) -> HttpResponse:
    """What customers see of an expert."""
    if not ExpertProfile.objects.filter(user=signed_in(request)).exists():
        return redirect("expert_apply")
    return _profile_page(request, "experts/settings.html", "Saved. New topics wait for an operator's approval.")


def _profile_page(request: HttpRequest, template: str, thanks: str) -> HttpResponse:
    user = signed_in(request)
    profile = ExpertProfile.objects.filter(user=user).first()
    chosen = list(profile.topics.values_list("topic_id", flat=True)) if profile else []
    form = ExpertApplicationForm(
        request.POST if request.method == "POST" else None, instance=profile, initial={"topics": chosen}
    )
    if request.method == "POST" and form.is_valid():
        experts.save_application(
            user=user,
            headline=form.cleaned_data["headline"],
            about=form.cleaned_data["about"],
            topics=form.cleaned_data["topics"],
        )
        messages.success(request, thanks)
        return redirect("expert_settings")
    context = {"form": form, "expert": profile}
    return render(request, template, context, status=422 if form.errors else 200)
