"""Money as operators see it: everything readable, nothing editable, and one thing to do: refund."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from accounts.http import recently_signed_in, signed_in
from accounts.permissions import Do, may
from billing import admin_disputes, admin_payouts, ledger
from billing.capture import try_again
from billing.forms import RefundForm
from billing.gateways.base import GatewayError
from billing.models import Card, DemoIntent, DemoRefund, GatewayEvent, Hold, Payment, Posting, Refund
from billing.refund import RefundRefused, most_of, refund
from hopps.admin_parts import ReadOnly, ReadOnlyInline
from hopps.money import format_money

__all__ = ["admin_disputes", "admin_payouts"]


class LedgerColumns:
    """The four parties of a posting, as money."""

    @admin.display(description="customer")
    def customer_text(self, row: Posting) -> str:
        return format_money(row.customer, row.currency)

    @admin.display(description="expert")
    def expert_text(self, row: Posting) -> str:
        return format_money(row.expert, row.currency)

    @admin.display(description="platform")
    def platform_text(self, row: Posting) -> str:
        return format_money(row.platform, row.currency)

    @admin.display(description="processor")
    def processor_text(self, row: Posting) -> str:
        return format_money(row.processor, row.currency)


class HoldInline(ReadOnlyInline):
    """What was reserved."""

    model = Hold
    related = ("payment", "card")
    fields = ("sequence", "amount_text", "captured_text", "state", "card", "problem", "gateway_ref", "created_at")
    readonly_fields = ("amount_text", "captured_text")

    @admin.display(description="amount")
    def amount_text(self, row: Hold) -> str:
        return format_money(row.amount_minor, row.payment.currency)

    @admin.display(description="captured")
    def captured_text(self, row: Hold) -> str:
        return format_money(row.captured_minor, row.payment.currency)


class RefundInline(ReadOnlyInline):
    """What was given back, by whom and why."""

    model = Refund
    related = ("payment", "by")
    fields = ("amount_text", "reason", "by", "state", "problem", "created_at")
    readonly_fields = ("amount_text",)

    @admin.display(description="amount")
    def amount_text(self, row: Refund) -> str:
        return format_money(row.amount_minor, row.payment.currency)


class PostingInline(LedgerColumns, ReadOnlyInline):
    """What was booked."""

    model = Posting
    fields = ("kind", "customer_text", "expert_text", "platform_text", "processor_text", "key", "posted_at")
    readonly_fields = ("customer_text", "expert_text", "platform_text", "processor_text")


@admin.register(Payment)
class PaymentAdmin(ReadOnly, admin.ModelAdmin[Payment]):
    """All the money of one help session, and the refund button."""

    list_display = ("description", "payer", "payee", "state", "charged", "refunded", "created_at")
    list_select_related = ("payer", "payee")
    list_filter = ("state", "currency")
    search_fields = ("description", "payer__email", "payer__display_name")
    search_help_text = "Words of the description, the payer's name or email, or the id of a payment or a session."
    list_per_page = 50
    fields = (
        "description",
        "payer",
        "payee",
        "state",
        "due",
        "charged",
        "refunded",
        "disputed",
        "problem",
        "attempts",
        "next_try_at",
        "flagged_at",
        "kept_back",
        "created_at",
        "closed_at",
        "reference",
    )
    readonly_fields = ("due", "charged", "refunded", "disputed")
    inlines = (HoldInline, RefundInline, PostingInline)
    change_form_template = "admin/billing/payment/change_form.html"

    @admin.display(ordering="charged_minor")
    def charged(self, payment: Payment) -> str:
        return format_money(payment.charged_minor, payment.currency)

    @admin.display(ordering="refunded_minor")
    def refunded(self, payment: Payment) -> str:
        return format_money(payment.refunded_minor, payment.currency)

    @admin.display(ordering="disputed_minor")
    def disputed(self, payment: Payment) -> str:
        return format_money(payment.disputed_minor, payment.currency)

    @admin.display(description="to charge", empty_value="not decided yet")
    def due(self, payment: Payment) -> str | None:
        return None if payment.due_minor is None else format_money(payment.due_minor, payment.currency)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        """Find by words; a whole id finds that payment, or the payment of that session."""
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(pk=wanted) | Q(reference=wanted)), False

    def get_urls(self) -> list[URLPattern]:
        """Add the refund page and the retry button to the admin's own."""
        refund_page = self.admin_site.admin_view(self.refund_view)
        retry = self.admin_site.admin_view(require_POST(self.retry_view))
        return [
            path("<uuid:payment_id>/refund/", refund_page, name="billing_payment_refund"),
            path("<uuid:payment_id>/retry/", retry, name="billing_payment_retry"),
            *super().get_urls(),
        ]

    @method_decorator(recently_signed_in)
    def retry_view(self, request: HttpRequest, payment_id: str) -> HttpResponse:
        """Ask the card once more for a charge that was refused."""
        if not may(request.user, Do.CHARGE_AGAIN):
            raise PermissionDenied
        payment = get_object_or_404(Payment, pk=payment_id)
        said = "the processor did not answer"
        try:
            payment = try_again(payment=payment)
        except GatewayError as problem:
            messages.warning(request, f"{problem.sentence} We keep asking.")
        else:
            amount = format_money(payment.charged_minor, payment.currency)
            match payment.state:
                case Payment.State.CHARGED:
                    messages.success(request, f"{amount} is charged.")
                case Payment.State.FAILED:
                    messages.error(request, f"Refused again: {payment.problem}")
                case _:
                    messages.info(request, "There was nothing to try again.")
            said = payment.get_state_display().lower()
        self.log_change(request, payment, f"Tried to charge again: {said}.")
        return redirect(reverse("admin:billing_payment_change", args=[payment.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the payment, with the buttons for those who may press them."""
        rights = {"may_refund": may(request.user, Do.REFUND), "may_charge": may(request.user, Do.CHARGE_AGAIN)}
        context = {**(extra_context or {}), **rights}
        return super().change_view(request, object_id, form_url, context)

    @method_decorator(recently_signed_in)
    def refund_view(self, request: HttpRequest, payment_id: str) -> HttpResponse:
        """Ask how much goes back and why; then give it back."""
        if not may(request.user, Do.REFUND):
            raise PermissionDenied
        payment = get_object_or_404(Payment.objects.select_related("payer", "payee"), pk=payment_id)
        most = most_of(payment=payment, by=signed_in(request))
        form = RefundForm(payment, request.POST if request.method == "POST" else None, most_minor=most)
        if form.is_valid() and self._refund(request, payment, form):
            return redirect(reverse("admin:billing_payment_change", args=[payment.pk]))
        expert_left, platform_left = ledger.shares_left(payment)
        context = {
            **self.admin_site.each_context(request),
            "title": "Refund",
            "subtitle": str(payment),
            "opts": self.opts,
            "payment": payment,
            "form": form,
            "card": _cards_text(payment),
            "left": format_money(payment.refundable_minor, payment.currency),
            "expert_left": format_money(expert_left, payment.currency),
            "platform_left": format_money(platform_left, payment.currency),
        }
        return TemplateResponse(request, "admin/billing/payment/refund.html", context, status=422 if form.errors else 200)

    def _refund(self, request: HttpRequest, payment: Payment, form: RefundForm) -> bool:
        """Give the money back and say so. Returns False where it was refused, with the sentence at the form."""
        try:
            made = refund(
                payment=payment,
                amount_minor=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"],
                by=signed_in(request),
                refund_id=form.cleaned_data["refund_id"],
            )
        except RefundRefused as refusal:
            # Somebody else refunded while this form was open: offer what is left now.
            payment.refresh_from_db()
            form.add_error("amount", refusal.sentence)
            return False
        sentence = f"{format_money(made.amount_minor, payment.currency)} "
        if made.state == Refund.State.PENDING:
            messages.warning(request, sentence + "will go back once the processor answers; we keep asking.")
        else:
            shared = format_money(made.expert_minor, payment.currency)
            messages.success(
                request, f"{sentence}went back to {_cards_text(payment)}. {payment.payee} gives back {shared} of it."
            )
        self.log_change(request, payment, f"Refunded {sentence.strip()}: {made.reason}")
        return True


def _cards_text(payment: Payment) -> str:
    """Name the cards that were charged."""
    holds = payment.holds.filter(state=Hold.State.CAPTURED).select_related("card")
    return " and ".join(dict.fromkeys(str(hold.card) for hold in holds))


@admin.register(Card)
class CardAdmin(ReadOnly, admin.ModelAdmin[Card]):
    """Saved cards, by the gateway's reference."""

    list_display = ("__str__", "owner", "gateway", "is_default", "added_at", "removed_at")
    list_select_related = ("owner",)
    list_filter = ("gateway", "brand")
    search_fields = ("owner__email", "owner__display_name", "last4")


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin[Refund]):
    """Every refund, with who and why."""

    list_display = ("amount_text", "payment_text", "reason", "by", "state", "created_at")
    list_select_related = ("payment", "by")
    list_filter = ("state",)
    search_fields = ("reason", "payment__description", "by__email")
    ordering = ("-created_at",)

    @admin.display(description="amount", ordering="amount_minor")
    def amount_text(self, made: Refund) -> str:
        return format_money(made.amount_minor, made.payment.currency)

    @admin.display(description="for")
    def payment_text(self, made: Refund) -> str:
        return made.payment.description


@admin.register(Posting)
class PostingAdmin(LedgerColumns, ReadOnly, admin.ModelAdmin[Posting]):
    """The ledger."""

    list_display = (
        "posted_at",
        "kind",
        "customer_text",
        "expert_text",
        "platform_text",
        "processor_text",
        "customer_user",
        "expert_user",
        "key",
    )
    list_select_related = ("payment", "customer_user", "expert_user")
    list_filter = ("kind", "currency")
    search_fields = ("key", "expert_user__email", "customer_user__email")


@admin.register(DemoIntent)
class DemoIntentAdmin(ReadOnly, admin.ModelAdmin[DemoIntent]):
    """The demo gateway's books: holds."""

    list_display = ("__str__", "card_ref", "key", "created_at")
    list_filter = ("state",)
    ordering = ("-created_at",)


@admin.register(DemoRefund)
class DemoRefundAdmin(ReadOnly, admin.ModelAdmin[DemoRefund]):
    """The demo gateway's books: refunds."""

    list_display = ("key", "refunded", "intent")
    list_select_related = ("intent",)

    @admin.display(description="amount")
    def refunded(self, made: DemoRefund) -> str:
        return format_money(made.amount_minor, made.intent.currency)


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnly, admin.ModelAdmin[GatewayEvent]):
    """What gateways told us, as it came."""

    list_display = ("received_at", "type", "ref", "handled_at", "outcome")
    list_filter = ("gateway", ("handled_at", admin.EmptyFieldListFilter), "type")
    search_fields = ("event_id", "ref", "key")
    show_full_result_count = False
