"""Disputes as operators see them: what is due when, and the evidence to answer with."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from billing.evidence import as_text, evidence_for
from billing.models import Dispute
from hopps.admin_parts import ReadOnly
from hopps.money import format_money

# The bank waits for us; it decides; it has decided.
_TURN = Case(
    When(state__in=Dispute.WAITS_FOR_US, then=Value(0)),
    When(state=Dispute.State.UNDER_REVIEW, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def to_answer(disputes: QuerySet[Dispute]) -> QuerySet[Dispute]:
    """Return those of `disputes` that wait for us."""
    return disputes.filter(state__in=Dispute.WAITS_FOR_US)


@admin.register(Dispute)
class DisputeAdmin(ReadOnly, admin.ModelAdmin[Dispute]):
    """Chargebacks. They are answered at the processor; here is what to answer with."""

    list_display = ("payment_text", "amount_text", "due", "reason", "state", "opened_at")
    list_select_related = ("payment",)
    list_filter = ("state", "gateway")
    search_fields = ("payment__description", "payment__payer__email", "gateway_ref")
    list_per_page = 50
    show_full_result_count = False
    fields = (
        "amount_text", "state", "due", "reason", "payment_link", "expert_text", "gateway", "gateway_ref", "opened_at",
        "closed_at",
    )  # fmt: skip
    readonly_fields = ("amount_text", "due", "payment_link", "expert_text")
    change_form_template = "admin/billing/dispute/change_form.html"

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits for us first, and of that what is due first."""
        return (_TURN.asc(), F("answer_by").asc(nulls_last=True), "-opened_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return super().get_queryset(request).select_related("payment__payer", "payment__payee")

    @admin.display(description="payment", ordering="payment__description")
    def payment_text(self, dispute: Dispute) -> str:
        return dispute.payment.description or str(dispute.payment.reference)

    @admin.display(description="payment")
    def payment_link(self, dispute: Dispute) -> str:
        address = reverse("admin:billing_payment_change", args=[dispute.payment_id])
        return format_html('<a href="{}">{}</a>', address, dispute.payment)

    @admin.display(description="amount", ordering="amount_minor")
    def amount_text(self, dispute: Dispute) -> str:
        return format_money(dispute.amount_minor, dispute.payment.currency)

    @admin.display(description="the expert's part")
    def expert_text(self, dispute: Dispute) -> str:
        return format_money(dispute.expert_minor, dispute.payment.currency)

    @admin.display(description="answer by", ordering="answer_by", empty_value="–")
    def due(self, dispute: Dispute) -> str | None:
        if dispute.answer_by is None:
            return None
        when = timezone.localtime(dispute.answer_by).strftime("%d %b %Y, %H:%M")
        if dispute.state in Dispute.WAITS_FOR_US and dispute.answer_by <= timezone.now():
            return format_html("{} <strong>overdue</strong>", when)
        return when

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the dispute with the evidence: as a table to read, and as text to copy."""
        context = dict(extra_context or {})
        dispute = self.get_object(request, object_id)
        if dispute is not None and self.has_view_permission(request, dispute):
            lines = evidence_for(dispute.payment)
            text = as_text(dispute.payment, lines)
            context |= {"evidence": lines, "evidence_text": text, "waits_for_us": dispute.state in Dispute.WAITS_FOR_US}
        return super().change_view(request, object_id, form_url, context)
