"""Reported people: operators look into what happened, close the report, or suspend the person."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.timesince import timesince

from accounts.http import signed_in
from accounts.permissions import Do, may
from hopps.admin_parts import ReadOnly
from hopps.errors import Refused
from sessions_app import person_reports
from sessions_app.forms import PersonReportClosingForm
from sessions_app.models import PersonReport

State = PersonReport.State


@admin.register(PersonReport)
class PersonReportAdmin(ReadOnly, admin.ModelAdmin[PersonReport]):
    """Reports of people, the open ones first and of them the oldest."""

    list_display = ("about", "reason", "state", "others_shown", "age", "by", "session")
    list_select_related = ("about", "by", "session")
    list_filter = ("state", "reason")
    search_fields = ("about__email", "about__display_name", "by__email", "session__title", "words")
    list_per_page = 50
    show_full_result_count = False

    def get_ordering(self, request: HttpRequest) -> Any:
        turn = Case(When(state=State.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
        return (turn.asc(), "at")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Count the other reports about the people on the page, in one query."""
        listed = super().get_changelist_instance(request)
        reports = list(listed.result_list)
        others = person_reports.other_counts(reports)
        for report in reports:
            report.others = others[report.pk]
        listed.result_list = reports
        return listed

    @admin.display(description="other reports about them")
    def others_shown(self, report: PersonReport) -> int:
        others: int = getattr(report, "others", 0)
        return others

    @admin.display(description="reported", ordering="at")
    def age(self, report: PersonReport) -> str:
        return f"{timesince(report.at, depth=1)} ago"

    # --- one report ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the report with what else is known of the person, and close it."""
        report = self._report(object_id)
        if not self.has_view_permission(request, report):
            raise PermissionDenied
        if report is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        may_close = may(request.user, Do.CLOSE_REPORTS)
        form = PersonReportClosingForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            if not may_close:
                raise PermissionDenied
            if form.is_valid() and self._close(request, report, form):
                return redirect(request.path)
            report = self._report(object_id) or report
        others = PersonReport.objects.filter(about=report.about).exclude(pk=report.pk).select_related("by", "session")
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Reported person",
            "subtitle": str(report.about),
            "opts": self.opts,
            "report": report,
            "session": report.session,
            "others": others,
            "form": form,
            "may_close": may_close,
            "may_suspend": report.about.is_active and may(request.user, Do.SUSPEND_PEOPLE, report.about),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/sessions_app/personreport/change_form.html", context, status=status)

    def _report(self, object_id: str) -> PersonReport | None:
        related = ("session__customer", "session__expert", "by", "about", "closed_by")
        try:
            return PersonReport.objects.select_related(*related).filter(pk=UUID(object_id)).first()
        except (ValueError, ValidationError):
            return None

    def _close(self, request: HttpRequest, report: PersonReport, form: PersonReportClosingForm) -> bool:
        """Close and say so. Returns False where it was refused, with the sentence at the form."""
        outcome = form.cleaned_data["outcome"]
        try:
            closed = person_reports.close(report=report, operator=signed_in(request), outcome=outcome)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
            return False
        messages.success(request, "Closed.")
        self.log_change(request, closed, f"Closed: {outcome}")
        return True
