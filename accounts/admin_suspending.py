"""Suspending a person, and letting them in again: a page each, with a reason, that asks before it does it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import suspending
from accounts.http import recently_signed_in, signed_in
from accounts.models import Suspension, User
from accounts.permissions import Do, may
from hopps.admin_parts import ReadOnlyInline
from hopps.errors import Refused


class SuspendForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="For operators. The person does not read it.",
        error_messages={"required": "Say why: the next operator reads it."},
    )


class SuspensionInline(ReadOnlyInline):
    """When the person was kept out, by whom and why."""

    model = Suspension
    fk_name = "user"
    related = ("by", "lifted_by")
    fields = ("began_at", "by", "reason", "lifted_at", "lifted_by")
    readonly_fields = fields


class SuspendingAdmin(admin.ModelAdmin[User]):
    """What the admin of people has for it; to be mixed in."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:person_id>/suspend/", view(self.suspend_person), name="accounts_user_suspend"),
            path("<uuid:person_id>/lift/", view(self.lift_suspension), name="accounts_user_lift"),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description="may sign in")
    def standing(self, person: User | None) -> SafeString | str:
        """Whether the person may sign in, and the way to change that."""
        if person is None or person._state.adding:
            return "–"
        if person.erased_at is not None:
            return "No: the account was deleted."
        suspension = suspending.open_suspension_of(person)
        if suspension is not None:
            words = f"No: suspended by {suspension.by}, {suspension.reason}"
        else:
            words = "Yes." if person.is_active else "No: inactive."
        name, label = ("suspend", "Suspend …") if person.is_active else ("lift", "Let them in again …")
        return format_html(
            '<p>{}</p><p><a role="button" class="button" href="{}">{}</a></p>',
            words,
            reverse(f"admin:accounts_user_{name}", args=[person.pk]),
            label,
        )

    @method_decorator(recently_signed_in)
    def suspend_person(self, request: HttpRequest, person_id: UUID) -> HttpResponse:
        """Ask for the reason, and suspend."""
        person = self._for_whom(request, person_id)
        form = SuspendForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                suspending.suspend(user=person, by=signed_in(request), reason=reason)
            except Refused as refusal:
                form.add_error(None, refusal.sentence)
            else:
                self.log_change(request, person, f"Suspended: {reason}")
                messages.success(request, f"{person} is suspended: signed out everywhere, and what was open has ended.")
                return redirect("admin:accounts_user_change", person.pk)
        return self._page(request, person, form, title="Suspend", lifting=False)

    @method_decorator(recently_signed_in)
    def lift_suspension(self, request: HttpRequest, person_id: UUID) -> HttpResponse:
        """Ask, and let the person in again."""
        person = self._for_whom(request, person_id)
        form = forms.Form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                lifted = suspending.lift(user=person, by=signed_in(request))
            except Refused as refusal:
                form.add_error(None, refusal.sentence)
            else:
                if lifted:
                    self.log_change(request, person, "Suspension lifted.")
                messages.success(request, f"{person} may sign in again.")
                return redirect("admin:accounts_user_change", person.pk)
        return self._page(request, person, form, title="Let in again", lifting=True)

    def _for_whom(self, request: HttpRequest, person_id: UUID) -> User:
        person = User.objects.filter(pk=person_id).first()
        # Nobody locks themselves out.
        if not may(request.user, Do.SUSPEND_PEOPLE, person) or person == request.user:
            raise PermissionDenied
        if person is None:
            raise Http404
        return person

    def _page(self, request: HttpRequest, person: User, form: forms.Form, *, title: str, lifting: bool) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": str(person),
            "opts": self.opts,
            "person": person,
            "form": form,
            "lifting": lifting,
            "suspension": suspending.open_suspension_of(person),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/accounts/user/suspend.html", context, status=status)
