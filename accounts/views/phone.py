"""Verifying a phone number: allauth's two pages, mounted by us because we do not ask for a number at sign-up."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account import views as allauth_views
from allauth.core.exceptions import RateLimited
from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from accounts import phones
from accounts.adapter import AGREED_SESSION_KEY
from accounts.forms.phone import ChangePhoneForm
from accounts.http import allowed, signed_in
from accounts.models import ExpertProfile
from accounts.permissions import Do
from hopps.errors import Refused

TOO_QUICK = "We texted a code to this number a moment ago. Wait half a minute, then ask for a new one."
TOO_MANY = "Too many codes were asked for from here. Try again in a minute."
NOT_VALID = "That code is not valid any more. Ask for a new one."


class ChangePhone(allauth_views.ChangePhoneView):  # type: ignore[misc]  # allauth carries no types
    """Type a number; a code is texted there."""

    form_class = ChangePhoneForm

    def form_valid(self, form: ChangePhoneForm) -> HttpResponse:
        """Text the code, or say at the field why not."""
        number = form.cleaned_data["phone"]
        try:
            answer: HttpResponse = super().form_valid(form)
        except Refused as refusal:
            form.add_error("phone", refusal.sentence)
            return self.form_invalid(form)
        except RateLimited:
            form.add_error("phone", _too_often(self.request, number))
            return self.form_invalid(form)
        # With the words as they were shown: a new release meanwhile must not put others into the person's mouth.
        wording = form.fields["agreed"].label if form.cleaned_data["agreed"] else ""
        self.request.session[AGREED_SESSION_KEY] = {"number": number, "wording": wording}
        return answer

    def form_invalid(self, form: ChangePhoneForm) -> HttpResponse:
        """Show the form again, as what it is: not accepted."""
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add where one came from."""
        # Who has just applied may leave it for later.
        applied = "applied" in self.request.GET
        back = {"back_url": reverse("expert_settings") if applied else _back(self.request), "applied": applied}
        return {**super().get_context_data(**kwargs), **back}


class VerifyPhone(allauth_views._VerifyPhoneChangeView):  # type: ignore[misc]  # its public name serves sign-up too
    """Type the code."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say so where a code came too late."""
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        if self.process is None and request.method == "POST":
            messages.error(request, NOT_VALID)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Try a code, or ask for a new one."""
        if request.POST.get("action") == "resend" and self._can_resend:
            return self._resend()
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again, as what it is: not accepted."""
        answer: HttpResponse = super().form_invalid(form)
        if answer.status_code == 200:
            answer.status_code = 422
        return answer

    def _verify_form_valid(self, form: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super()._verify_form_valid(form)
        except Refused as refusal:
            self.process.abort()
            messages.error(self.request, refusal.sentence)
            return redirect("account_change_phone")
        return answer

    def _resend(self) -> HttpResponse:
        """Text a new code: allauth does so at sign-up only."""
        before = dict(self.process.state)
        self.process.record_resend()
        try:
            self.process.send()
        except (Refused, RateLimited) as problem:
            # The code they may have already goes on working.
            self.process.state.update(before)
            limited = isinstance(problem, RateLimited)
            messages.error(self.request, _too_often(self.request, self.process.phone) if limited else problem.sentence)
        else:
            self.process.state["at"] = time.time()
        self.process.persist()
        return redirect("account_verify_phone")

    @property
    def _can_resend(self) -> bool:
        quota = app_settings.PHONE_VERIFICATION_MAX_RESEND_COUNT
        return not self.process.is_resend_quota_reached(quota)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer a new code while there is one to be had."""
        return {**super().get_context_data(**kwargs), "can_resend": self._can_resend}

    def respond_process_succeeded(self, form: Any) -> HttpResponse:
        """Back to where the number is used."""
        return redirect(_back(self.request))

    def respond_process_failed(self, form: Any) -> HttpResponse:
        """Say why this code does not count any more."""
        messages.error(self.request, "That was the wrong code too often. Ask for a new one.")
        return redirect("account_change_phone")


change_phone = login_required(allowed(Do.SEE_OWN)(ChangePhone.as_view()))
# A code has few digits: nobody gets to try many, from many tabs at once either.
_verify = method_decorator(rate_limit(action="phone_code"), name="dispatch")(VerifyPhone)
verify_phone = login_required(allowed(Do.SEE_OWN)(_verify.as_view()))


@login_required
@require_POST
@allowed(Do.SEE_OWN)
def remove_phone(request: HttpRequest) -> HttpResponse:
    """Forget the number."""
    if phones.remove(user=signed_in(request)):
        messages.success(request, "Your number is removed. We text you no more.")
    return redirect(_back(request))


def _too_often(request: HttpRequest, number: str) -> str:
    """Say which limit it was: this number's, or the person's or address's own."""
    return TOO_QUICK if phones.code_was_sent(user=signed_in(request), number=number) else TOO_MANY


def _back(request: HttpRequest) -> str:
    is_expert = ExpertProfile.objects.filter(user=signed_in(request)).exists()
    return reverse("expert_reach" if is_expert else "account_change_phone")
