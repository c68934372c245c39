"""What pages about signing in show of providers."""

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django import template
from django.template.context import Context

from accounts.http import signed_in
from accounts.providers import Waiting, waiting

register = template.Library()


@register.simple_tag(takes_context=True)
def provider_that_waits(context: Context) -> Waiting | None:
    """Return the account at a provider that is connected once this person signs in, if there is one."""
    return waiting(context["request"])


@register.simple_tag(takes_context=True)
def my_providers(context: Context) -> list[dict[str, Any]]:
    """Return the person's accounts at providers that are still in use: `pk`, the provider's `name`, the `email` there."""
    request = context["request"]
    names = {provider.sub_id: provider.name for provider in get_adapter().list_providers(request)}
    return [
        {"pk": account.pk, "name": names[account.provider], "email": account.extra_data.get("email", "")}
        for account in SocialAccount.objects.filter(user=signed_in(request)).order_by("date_joined")
        if account.provider in names
    ]
