"""Operators' view of people and topics."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import admin_messages, experts
from accounts.models import ExpertProfile, ExpertTopic, Topic, User
from hopps.realtime.hub import hub
from hopps.realtime.sockets import PERSON, person_audience


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People. They are made inactive, never deleted: money and sessions hang on them."""

    list_display = ("email", "display_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "display_name")
    ordering = ("-date_joined",)
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "display_name", "time_zone")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("When", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name", "usable_password", "password1", "password2")}),
    )
    inlines = (admin_messages.PhoneInline, admin_messages.TextConsentInline)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Somebody who was made inactive does not keep what is open.
        hub.wake(person_audience(obj.pk), PERSON)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin[Topic]):
    """Topics and their prices. A new price holds for requests made from now on."""

    list_display = ("name", "area", "price_text", "is_active", "position")
    list_filter = ("area", "is_active")
    search_fields = ("name",)
    prepopulated_fields: ClassVar = {"slug": ("name",)}


class ExpertTopicInline(admin.TabularInline[ExpertTopic, ExpertProfile]):
    """Topics applied for, approved one by one."""

    model = ExpertTopic
    extra = 0
    autocomplete_fields = ("topic",)


@admin.register(ExpertProfile)
class ExpertAdmin(admin.ModelAdmin[ExpertProfile]):
    """Experts: approve, suspend, edit."""

    list_display = ("user", "headline", "state", "available", "applied_at")
    list_filter = ("state", "available", "topics__topic")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__display_name", "headline")
    readonly_fields = ("applied_at", "board_seen_at")
    autocomplete_fields = ("user",)
    inlines = (ExpertTopicInline,)
    actions = ("approve", "suspend")

    @admin.action(description="Approve, with all topics applied for", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[ExpertProfile]) -> None:
        for expert in queryset:
            experts.approve(expert=expert)
            self.log_change(request, expert, "Approved.")
        self.message_user(request, f"{len(queryset)} approved.")

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[ExpertProfile]) -> None:
        for expert in queryset:
            experts.suspend(expert=expert)
            self.log_change(request, expert, "Suspended.")
        self.message_user(request, f"{len(queryset)} suspended.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        experts.refresh_boards(form.instance.user_id)
