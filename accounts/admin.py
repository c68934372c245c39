"""Operators' view of people and topics."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from accounts import admin_experts, admin_messages, admin_suspending
from accounts.models import Topic, User

__all__ = ["admin_experts"]


@admin.register(User)
class PersonAdmin(admin_suspending.SuspendingAdmin, UserAdmin[User]):
    """People. They are suspended, never deleted: money and sessions hang on them."""

    list_display = ("email", "display_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "display_name")
    ordering = ("-date_joined",)
    readonly_fields = ("standing", "date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "display_name", "time_zone")}),
        ("May", {"fields": ("standing", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("When", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name", "usable_password", "password1", "password2")}),
    )
    inlines = (admin_suspending.SuspensionInline, admin_messages.PhoneInline, admin_messages.TextConsentInline)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin[Topic]):
    """Topics and their prices. A new price holds for requests made from now on."""

    list_display = ("name", "area", "price_text", "is_active", "position")
    list_filter = ("area", "is_active")
    search_fields = ("name",)
    prepopulated_fields: ClassVar = {"slug": ("name",)}
