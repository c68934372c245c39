"""Reported problems: operators read what happened and answer, with a refund or without."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case as Choice
from django.db.models import IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.timesince import timesince

from accounts.http import ask_who_it_is, is_recently_signed_in, signed_in
from accounts.permissions import Do, may
from billing.evidence import evidence_for
from billing.models import Payment, Refund
from billing.refund import most_of
from hopps.admin_parts import ReadOnly
from hopps.errors import Refused
from hopps.money import format_money
from sessions_app.answer import answer_with_refund, refuse, unanswered
from sessions_app.forms import CaseAnswerForm
from sessions_app.models import Case


@admin.register(Case)
class CaseAdmin(ReadOnly, admin.ModelAdmin[Case]):
    """Reports, those that wait first and of them the oldest."""

    list_display = ("title", "stands", "age", "who", "charged")
    list_select_related = ("session", "by")
    list_filter = ("state",)
    search_fields = ("session__title", "by__email", "by__display_name", "problem")
    list_per_page = 50
    show_full_result_count = False

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits for an operator first, the oldest of it on top."""
        turn = Choice(When(unanswered(), then=Value(0)), default=Value(1), output_field=IntegerField())
        return (turn.asc(), "opened_at")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Fetch what was charged for the sessions on the page, in one query."""
        listed = super().get_changelist_instance(request)
        payments = Payment.objects.in_bulk([case.session_id for case in listed.result_list], field_name="reference")
        for case in listed.result_list:
            case.payment = payments.get(case.session_id)
        return listed

    @admin.display(description="session", ordering="session__title")
    def title(self, case: Case) -> str:
        return case.session.title

    @admin.display(description="state", ordering="state")
    def stands(self, case: Case) -> str:
        return "Refund not made yet" if case.is_unfinished else case.get_state_display()

    @admin.display(description="reported", ordering="opened_at")
    def age(self, case: Case) -> str:
        return f"{timesince(case.opened_at, depth=1)} ago"

    @admin.display(description="by")
    def who(self, case: Case) -> str:
        return f"{case.by} ({_role(case)})"

    @admin.display(description="charged")
    def charged(self, case: Case) -> str:
        payment: Payment | None = getattr(case, "payment", None)
        return format_money(payment.charged_minor, payment.currency) if payment is not None else "–"

    # --- one case ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the report with all that is known of the session, and answer it."""
        case = self._case(object_id)
        if not self.has_view_permission(request, case):
            raise PermissionDenied
        if case is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        payment = Payment.objects.select_related("payer", "payee").filter(reference=case.session_id).first()
        may_answer = may(request.user, Do.ANSWER_CASES)
        may_refund = may_answer and may(request.user, Do.REFUND)
        left = payment.refundable_minor if payment is not None else 0
        most = most_of(payment=payment, by=signed_in(request)) if payment is not None and may_refund else 0
        if request.method == "POST":
            form = CaseAnswerForm(request.POST, payment=payment, offers_refund=may_refund, most_minor=most)
            if not may_answer or (form.refunds and not may_refund):
                raise PermissionDenied
            if form.refunds and not is_recently_signed_in(request):
                return ask_who_it_is(request)
            if form.is_valid() and self._answer(request, case, form):
                return redirect(request.path)
            case = self._case(object_id) or case
        else:
            form = CaseAnswerForm(payment=payment, offers_refund=may_refund and most > 0, most_minor=most)
        waits = case.state == Case.State.OPEN or case.is_unfinished
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Case",
            "subtitle": str(case.session),
            "opts": self.opts,
            "case": case,
            "session": case.session,
            "payment": payment,
            "role": _role(case),
            "left": format_money(left, payment.currency) if payment is not None else "",
            "may_refund": may_refund and most > 0,
            "form": form,
            "may_answer": may_answer,
            "waits": waits,
            "unfinished": case.is_unfinished,
            "evidence": evidence_for(payment) if payment is not None else [],
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/sessions_app/case/change_form.html", context, status=status)

    def _case(self, object_id: str) -> Case | None:
        related = ("session__customer", "session__expert", "session__topic", "by", "answered_by", "refund__payment")
        try:
            return Case.objects.select_related(*related).filter(pk=UUID(object_id)).first()
        except (ValueError, ValidationError):
            return None

    def _answer(self, request: HttpRequest, case: Case, form: CaseAnswerForm) -> bool:
        """Answer and say so. Returns False where it was refused, with the sentence at the form."""
        operator = signed_in(request)
        text = form.cleaned_data["answer"]
        try:
            if form.refunds:
                amount = form.cleaned_data["amount"]
                done = answer_with_refund(case=case, operator=operator, amount_minor=amount, answer=text)
            else:
                done = refuse(case=case, operator=operator, answer=text)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
            return False
        if done.refund is None:
            sentence = "Answered without a refund."
        else:
            amount_text = format_money(done.refund.amount_minor, done.refund.payment.currency)
            going = "goes back once the processor answers" if done.refund.state == Refund.State.PENDING else "went back"
            sentence = f"Answered: {amount_text} {going}."
        messages.success(request, f"{sentence} {done.by} gets the answer by mail.")
        self.log_change(request, done, sentence)
        return True


def _role(case: Case) -> str:
    return "customer" if case.by_id == case.session.customer_id else "expert"
