"""Pages about oneself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts import applying, phones
from accounts.experts import week_of
from accounts.forms.experts import ExpertForm
from accounts.forms.hours import USUAL, HoursForm
from accounts.forms.people import PersonForm, PhotoForm
from accounts.hours_words import messages_now
from accounts.http import allowed, signed_in
from accounts.models import ExpertProfile, User
from accounts.permissions import Do
from hopps.errors import Refused


@login_required
@allowed(Do.SEE_OWN)
def person_settings(request: HttpRequest) -> HttpResponse:
    """Name, time zone and photo."""
    if request.method != "POST":
        return settings_page(request)
    # A copy: what was typed and is refused must not stand in the page's header.
    form = PersonForm(request.POST, instance=User.objects.get(pk=signed_in(request).pk))
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("person_settings")
    return settings_page(request, form=form)


def settings_page(
    request: HttpRequest, *, form: PersonForm | None = None, photo_form: PhotoForm | None = None
) -> HttpResponse:
    """Show the settings, with what is wrong with a form that was sent."""
    wrong = form is not None or photo_form is not None
    context = {"form": form or PersonForm(instance=signed_in(request)), "photo_form": photo_form or PhotoForm()}
    return render(request, "pages/person_settings.html", context, status=422 if wrong else 200)


@login_required
@allowed(Do.SEE_OWN)
def apply(request: HttpRequest) -> HttpResponse:
    """Become an expert."""
    user = signed_in(request)
    if ExpertProfile.objects.filter(user=user).exists():
        return redirect("expert_settings")
    data = request.POST if request.method == "POST" else None
    form, hours_form = ExpertForm(data), HoursForm(data, user=user, hours=USUAL)
    # Both are asked: whatever is wrong is said at once.
    if data is not None and all([form.is_valid(), hours_form.is_valid()]):
        try:
            applying.apply(
                user=user,
                application=form.application,
                hours=hours_form.stretches,
                time_zone=hours_form.cleaned_data["time_zone"],
            )
        except Refused as refusal:
            hours_form.add_error(None, refusal.sentence)
        else:
            if phones.phone_now(user) is not None:
                messages.success(request, "Thank you. An operator looks at your application next; the answer comes by mail.")
                return redirect("expert_settings")
            messages.success(
                request,
                "Thank you. An operator looks at your application next. Now your phone, so that we can text you.",
            )
            return redirect(f"{reverse('account_change_phone')}?applied=1")
    wrong = bool(form.errors or hours_form.errors)
    return render(request, "experts/apply.html", {"form": form, "hours_form": hours_form}, status=422 if wrong else 200)


@login_required
@allowed(Do.SEE_OWN)
def expert_settings(request: HttpRequest) -> HttpResponse:
    """What customers and operators see of an expert, and how the topics stand."""
    user = signed_in(request)
    expert = ExpertProfile.objects.filter(user=user).first()
    if expert is None:
        return redirect("expert_apply")
    form = ExpertForm(request.POST if request.method == "POST" else None, instance=expert)
    if request.method == "POST" and form.is_valid():
        applying.change(user=user, application=form.application)
        messages.success(request, "Saved. New topics wait for an operator's approval.")
        return redirect("expert_settings")
    # The form has written what was sent over its expert.
    expert = ExpertProfile.objects.get(user=user)
    context = {
        "form": form,
        "expert": expert,
        "topics": expert.topics.select_related("topic").order_by("topic__area", "topic__position", "topic__name"),
        "messages_now": messages_now(week_of(expert), user.time_zone, timezone.now()),
    }
    return render(request, "experts/settings.html", context, status=422 if form.errors else 200)
