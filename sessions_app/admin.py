"""Operators' view of help sessions: everything to read, nothing to change."""

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.permissions import Do, may
from billing.models import Payment
from hopps.admin_parts import ReadOnly, ReadOnlyInline
from hopps.money import format_money
from sessions_app import admin_cases, admin_person_reports  # noqa: F401  registers them
from sessions_app.admin_demand import demand
from sessions_app.models import (
    Attendance,
    ChatFile,
    ChatMessage,
    HelpSession,
    Pause,
    Rating,
    SharedNotes,
    TimelineEntry,
    VideoEvent,
)
from sessions_app.views.files import file_response


class TimelineInline(ReadOnlyInline):
    model = TimelineEntry
    fields = ("at", "by", "kind", "note")
    related = ("by",)


class AttendanceInline(ReadOnlyInline):
    model = Attendance
    fields = ("person", "joined_at", "last_seen_at", "left_at", "media_at")
    related = ("person",)


class PauseInline(ReadOnlyInline):
    model = Pause
    fields = ("by", "started_at", "ended_at")
    related = ("by",)


class ChatInline(ReadOnlyInline):
    model = ChatMessage
    fields = ("sent_at", "author", "body")
    related = ("author",)


class NotesInline(ReadOnlyInline):
    model = SharedNotes
    fields = ("body", "revision")
    verbose_name_plural = "Shared notes"


class FileInline(ReadOnlyInline):
    model = ChatFile
    fields = ("number", "opens", "content_type", "size")

    @admin.display(description="file")
    def opens(self, file: ChatFile) -> str:
        address = reverse("admin:sessions_app_helpsession_file", args=[file.session_id, file.pk])
        return format_html('<a href="{}">{}</a>', address, file.name)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["opens"]


class VideoEventInline(ReadOnlyInline):
    model = VideoEvent
    fields = ("at", "kind", "person", "room_sid", "received_at")
    related = ("person",)


class RatingInline(ReadOnlyInline):
    model = Rating
    fields = ("stars", "solved", "comment", "rated_at")


@admin.register(HelpSession)
class HelpSessionAdmin(ReadOnly, admin.ModelAdmin[HelpSession]):
    """Sessions with their timeline."""

    list_display = ("title", "state", "customer", "expert", "topic", "created_at", "billable_seconds", "amount")
    list_filter = ("state", "topic", "end_reason", ("timeline__kind", admin.ChoicesFieldListFilter))
    list_select_related = ("customer", "expert", "topic")
    search_fields = ("title", "customer__email", "expert__email", "id")
    date_hierarchy = None
    show_full_result_count = False
    inlines = (
        TimelineInline,
        AttendanceInline,
        PauseInline,
        VideoEventInline,
        ChatInline,
        FileInline,
        NotesInline,
        RatingInline,
    )
    fieldsets = (
        (None, {"fields": ("title", "details", "state", "end_reason", "customer", "expert", "topic", "video", "room_sid")}),
        (
            "Money",
            {
                "fields": (
                    "price_per_minute", "currency", "cap_minutes", "free_seconds",
                    "billable_seconds", "amount", "payment_link",
                )
            },
        ),
        (
            "When",
            {"fields": ("created_at", "requested_at", "accepted_at", "active_at", "ended_at", "settled_at")},
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        own = path("demand/", self.admin_site.admin_view(demand), name="sessions_app_helpsession_demand")
        file = path(
            "<uuid:session_id>/files/<uuid:file_id>/",
            self.admin_site.admin_view(self.file),
            name="sessions_app_helpsession_file",
        )
        return [own, file, *super().get_urls()]

    def file(self, request: HttpRequest, session_id: UUID, file_id: UUID) -> HttpResponse:
        """Give a file of the chat to an operator, and write down that they had it."""
        file = ChatFile.objects.select_related("session").filter(pk=file_id, session_id=session_id).first()
        if not may(request.user, Do.SEE_ADMIN):
            raise PermissionDenied
        if file is None:
            raise Http404
        self.log_change(request, file.session, f"Opened the file {file.pk} of the chat, {file.content_type}.")
        return file_response(file)

    @admin.display(description="amount")
    def amount(self, session: HelpSession) -> str:
        return format_money(session.amount_minor, session.currency)

    @admin.display(description="payment")
    def payment_link(self, session: HelpSession) -> str:
        payment = Payment.objects.filter(reference=session.pk).first()
        if payment is None:
            return "none"
        return format_html('<a href="{}">{}</a>', reverse("admin:billing_payment_change", args=[payment.pk]), payment)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["amount", "payment_link"]
