"""The log of what operators did in the admin: written by the admin and its pages, and by nobody after that."""

from collections.abc import Sequence

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.html import format_html

from hopps.admin_parts import ReadOnly


class OperatorFilter(admin.SimpleListFilter):
    """Who did something, of those who ever did."""

    title = "operator"
    parameter_name = "operator"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, str]]:
        did = set(LogEntry.objects.order_by().values_list("user_id", flat=True).distinct())
        people = get_user_model().objects.filter(pk__in=did)
        return sorted(((str(person.pk), str(person)) for person in people), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        chosen = self.value()
        return queryset.filter(user_id=chosen) if chosen in dict(self.lookup_choices) else queryset


@admin.register(LogEntry)
class LogAdmin(ReadOnly, admin.ModelAdmin[LogEntry]):
    """Everything operators did, the latest first. Nobody edits it."""

    list_display = ("action_time", "user", "what", "thing", "words")
    list_filter = (OperatorFilter, "action_flag")
    list_select_related = ("user", "content_type")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("object_repr", "change_message", "object_id", "user__email", "user__display_name")
    search_help_text = "Words of what was done, what it was done to, its id, or the operator's name or email."
    fields = ("action_time", "user", "what", "thing", "words")
    readonly_fields = ("what", "thing", "words")

    @admin.display(description="did", ordering="action_flag")
    def what(self, entry: LogEntry) -> str:
        return entry.get_action_flag_display()

    @admin.display(description="to")
    def thing(self, entry: LogEntry) -> str:
        name = f"{entry.content_type.name if entry.content_type else 'thing'}: {entry.object_repr}"
        try:
            address = None if entry.is_deletion() else entry.get_admin_url()
        except NoReverseMatch:
            address = None
        return format_html('<a href="{}">{}</a>', address, name) if address else name

    @admin.display(description="what and why", ordering="change_message", empty_value="–")
    def words(self, entry: LogEntry) -> str | None:
        return entry.get_change_message() or None
