"""Payouts as operators see them: who is paid where, and every payout with its outcome."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.permissions import Do, may
from billing import ledger
from billing.gateways.base import GatewayError
from billing.models import DemoTransfer, Payout, PayoutAccount
from billing.payout_accounts import refresh_account
from hopps.admin_parts import ReadOnly, ReadOnlyInline
from hopps.money import format_money


class PayoutColumns:
    """A payout's amounts, as money."""

    @admin.display(description="amount", ordering="amount_minor")
    def amount_text(self, row: Payout) -> str:
        return format_money(row.amount_minor, row.currency)

    @admin.display(description="taken back", ordering="reversed_minor")
    def reversed_text(self, row: Payout) -> str:
        return format_money(row.reversed_minor, row.currency) if row.reversed_minor else "–"


class PayoutInline(PayoutColumns, ReadOnlyInline):
    """What went to an account."""

    model = Payout
    fields = ("period", "amount_text", "reversed_text", "state", "problem", "gateway_ref", "created_at")
    readonly_fields = ("amount_text", "reversed_text")


@admin.register(PayoutAccount)
class PayoutAccountAdmin(ReadOnly, admin.ModelAdmin[PayoutAccount]):
    """Where experts are paid to, and what each is owed."""

    list_display = ("owner", "gateway", "ready", "owed", "opened_at")
    list_select_related = ("owner",)
    list_filter = ("ready", "gateway")
    list_per_page = 50
    search_fields = ("owner__email", "owner__display_name", "gateway_ref")
    search_help_text = "The expert's name or email, or the account's name at the gateway."
    ordering = ("-opened_at",)
    fields = ("owner", "gateway", "gateway_ref", "ready", "owed", "opened_at")
    readonly_fields = ("owed",)
    inlines = (PayoutInline,)
    actions = ("look_again",)

    def has_look_permission(self, request: HttpRequest) -> bool:
        """Whether this operator may have the gateway asked."""
        return may(request.user, Do.LOOK_AT_PAYOUT_ACCOUNTS)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read what the experts of this page are owed in one query."""
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        balances = ledger.balances([row.owner_id for row in rows])
        for row in rows:
            row.balances = balances.get(row.owner_id, {})
        changelist.result_list = rows
        return changelist

    @admin.display(description="owed")
    def owed(self, account: PayoutAccount) -> str:
        balances: dict[str, int] | None = getattr(account, "balances", None)
        if balances is None:
            balances = ledger.balance(account.owner)
        return ", ".join(format_money(minor, code) for code, minor in balances.items()) or "–"

    @admin.action(description="Look at the account again", permissions=["look"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[PayoutAccount]) -> None:
        """Ask the gateway how the chosen accounts stand."""
        for account in queryset.select_related("owner"):
            try:
                ready = refresh_account(account).ready
            except GatewayError as problem:
                self.message_user(request, f"{account}: {problem.sentence}", messages.ERROR)
                found = "the gateway did not answer"
            else:
                found = "can be paid to" if ready else "cannot be paid to yet"
                self.message_user(request, f"{account} {found}.")
            self.log_change(request, account, f"Looked at the account again: {found}.")


@admin.register(Payout)
class PayoutAdmin(PayoutColumns, ReadOnly, admin.ModelAdmin[Payout]):
    """Every payout, week by week."""

    list_display = ("period", "expert", "amount_text", "reversed_text", "state", "problem", "created_at")
    list_select_related = ("expert",)
    list_filter = ("state", "currency", "period")
    list_per_page = 50
    search_fields = ("expert__email", "expert__display_name", "gateway_ref", "period")
    search_help_text = "The expert's name or email, a week such as 2026-W48, or the payout's name at the gateway."
    fields = (
        "expert", "period", "amount_text", "reversed_text", "state", "problem", "account", "gateway_ref", "created_at",
    )  # fmt: skip
    readonly_fields = ("amount_text", "reversed_text")


@admin.register(DemoTransfer)
class DemoTransferAdmin(ReadOnly, admin.ModelAdmin[DemoTransfer]):
    """The demo gateway's books: payouts."""

    list_display = ("key", "paid", "account", "created_at")
    list_select_related = ("account",)
    ordering = ("-created_at",)

    @admin.display(description="amount")
    def paid(self, made: DemoTransfer) -> str:
        return format_money(made.amount_minor, made.currency)
