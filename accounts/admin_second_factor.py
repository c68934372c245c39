"""What operators see of how a person signs in, and the way out for somebody who lost the phone and the recovery codes."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.http import recently_signed_in
from accounts.models import User
from accounts.permissions import Do, may
from accounts.sign_in import second_factor


class SecondFactorAdmin(admin.ModelAdmin[User]):
    """A part of the admin of people."""

    def get_urls(self) -> list[URLPattern]:
        """Add the page that takes second steps away."""
        page = self.admin_site.admin_view(self.reset_second_factor_view)
        own = path("<uuid:user_id>/second-step/", page, name="accounts_user_second_step")
        return [own, *super().get_urls()]

    @admin.display(description="second step")
    def second_step(self, person: User) -> str | SafeString:
        """Name what the person has, with the way to take it away."""
        kinds = Authenticator.objects.filter(user=person, type__in=second_factor.FACTORS).values_list("type", flat=True)
        names = {Authenticator.Type.TOTP: "authenticator app", Authenticator.Type.WEBAUTHN: "passkey"}
        text = ", ".join(sorted(names[Authenticator.Type(kind)] for kind in kinds))
        if not text:
            return "None"
        page = reverse("admin:accounts_user_second_step", args=[person.pk])
        return format_html('{} · <a href="{}">They lost it: take it away</a>', text, page)

    @method_decorator(recently_signed_in)
    def reset_second_factor_view(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Ask whether it is the person, then take all second steps away."""
        person = get_object_or_404(User, pk=user_id)
        if not may(request.user, Do.RESET_SECOND_FACTOR, person):
            raise PermissionDenied
        back = reverse("admin:accounts_user_change", args=[person.pk])
        if request.method == "POST":
            if second_factor.reset(user=person):
                self.log_change(request, person, "Took all second steps of signing in away.")
                messages.success(request, f"{person} signs in without a second step now, and is told so by mail.")
            else:
                messages.info(request, f"{person} has no second step.")
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Take the second step away",
            "subtitle": str(person),
            "opts": self.opts,
            "person": person,
            "back": back,
        }
        return TemplateResponse(request, "admin/accounts/user/second_step.html", context)
