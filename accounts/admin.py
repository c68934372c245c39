"""Operators' view of people and topics."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.template.loader import render_to_string

from accounts import admin_experts, admin_messages
from accounts.models import Topic, User
from accounts.templatetags.people import avatar
from hopps.realtime.hub import hub
from hopps.realtime.sockets import PERSON, person_audience

__all__ = ["admin_experts"]


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People. They are made inactive, never deleted: money and sessions hang on them."""

    list_display = ("email", "display_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "display_name")
    ordering = ("-date_joined",)
    readonly_fields = ("photo", "date_joined", "last_login", "erased_at")
    fieldsets = (
        (None, {"fields": ("photo", "email", "password", "display_name", "time_zone")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("When", {"fields": ("date_joined", "last_login", "erased_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name", "usable_password", "password1", "password2")}),
    )
    inlines = (admin_messages.PhoneInline, admin_messages.TextConsentInline)

    @admin.display(description="photo")
    def photo(self, person: User) -> str:
        """The person's photo, or their initials."""
        return render_to_string("components/avatar.html", avatar(person, alt=f"Photo of {person}"))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Nobody comes back from that.
        return super().has_change_permission(request, obj) and (obj is None or obj.erased_at is None)

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
