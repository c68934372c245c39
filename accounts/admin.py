"""Operators' view of people, experts, messages and topics; of how people sign in, what is no secret."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest

from accounts import admin_experts, admin_messages, admin_people
from accounts.models import Topic
from accounts.permissions import Do, may
from hopps.admin_parts import ReadOnly, SaysWhatChanged

__all__ = ["admin_experts", "admin_messages", "admin_people"]

# allauth's own pages show secrets of second factors and providers, and change how people sign in without a word in the log.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession])


@admin.register(Topic)
class TopicAdmin(SaysWhatChanged, admin.ModelAdmin[Topic]):
    """Topics and their prices. A new price holds for requests made from now on."""

    list_display = ("name", "area", "price_text", "is_active", "position")
    list_filter = ("area", "is_active")
    search_fields = ("name",)
    prepopulated_fields: ClassVar = {"slug": ("name",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Do.SET_PRICES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Do.SET_PRICES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Do.OWN)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """The addresses people sign in with, and whether they showed that they read mail there."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    list_filter = ("primary", "verified")
    search_fields = ("email", "user__display_name")
