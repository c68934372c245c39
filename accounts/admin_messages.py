"""Messages as operators see them: to whom, by which way, what became of each, and what it cost. Nothing is edited."""

from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from accounts.models import Message, Phone, TextConsent
from hopps.admin_parts import ReadOnly, ReadOnlyInline


class PhoneInline(ReadOnlyInline):
    """The verified number."""

    model = Phone
    fields = ("number", "verified_at")


class TextConsentInline(ReadOnlyInline):
    """Every consent to texts, in the words agreed to."""

    model = TextConsent
    fields = ("number", "given_at", "ended_at", "ended_by", "wording")


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin[Message]):
    """Every message that was to go out."""

    list_display = ("created_at", "to", "way", "outcome", "cost", "gateway", "what_went_wrong")
    list_display_links = ("created_at", "to")
    list_select_related = ("to",)
    list_filter = ("way", "purpose", "state", "gateway")
    list_per_page = 50
    search_fields = ("to__email", "to__display_name", "address", "gateway_ref")
    search_help_text = "A person's name, email or number, the id of a help session, or the message's name at its sender."
    fields = (
        "to", "address", "way", "purpose", "reference", "text", "state", "problem", "gateway", "gateway_ref", "cost",
        "created_at", "began_at", "sent_at",
    )  # fmt: skip
    readonly_fields = ("cost",)

    @admin.display(ordering="state")
    def outcome(self, message: Message) -> str:
        return message.get_state_display().split(":")[0]

    @admin.display(description="problem", empty_value="–")
    def what_went_wrong(self, message: Message) -> str | None:
        return Truncator(message.problem).chars(60) or None

    @admin.display(ordering="cost_micros", empty_value="–")
    def cost(self, message: Message) -> str | None:
        return None if message.cost_micros is None else cost_text(message.cost_micros, message.cost_currency)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """Find by words; a whole id finds that message, or those about that help session."""
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(pk=wanted) | Q(reference=wanted)), False


def cost_text(micros: int, currency: str) -> str:
    """Return what a message cost as people read it, such as "0.0725 EUR"; a text costs parts of a minor unit.

    Args:
        micros: millionths of the currency.
    """
    whole, parts = divmod(micros, 1_000_000)
    return f"{whole}.{f'{parts:06}'[:2]}{f'{parts:06}'[2:].rstrip('0')} {currency}".rstrip()
