"""What pages about signing in show."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django import template
from django.template.context import Context

from accounts.http import signed_in
from accounts.sign_in.providers import Waiting, waiting

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


@register.filter
def in_fours(key: str) -> str:
    """`{{ "ABCDEFGH"|in_fours }}` → ABCD EFGH: what is typed over is easier to keep one's place in."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


@register.filter
def as_text_file(lines: Sequence[str]) -> str:
    """The address of a text file with these lines, inside the page: what is shown once is nowhere to be fetched again."""
    return "data:text/plain;charset=utf-8," + quote("Hopps recovery codes, each good once\n\n" + "\n".join(lines) + "\n")
