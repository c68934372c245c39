"""What the notifications' part of a page shows, on whichever page it is."""

from dataclasses import dataclass
from uuid import UUID

from django import template
from django.conf import settings
from django.template import Context

from accounts.http import browser_of, signed_in
from accounts.models import PushSubscription
from hopps.vapid import public_key

register = template.Library()


@dataclass(frozen=True)
class Facts:
    """How it stands with notifications for the person who looks at the page."""

    key: str
    """The public key a browser subscribes with; empty where notifications are not set up."""
    browsers: list[PushSubscription]
    here: UUID | None
    """The id of the subscription made in this very browser; it may be gone."""


@register.simple_tag(takes_context=True)
def push_facts(context: Context) -> Facts:
    """Return how it stands with the notifications of whoever asks for the page."""
    request = context["request"]
    return Facts(
        key=public_key(settings.VAPID_PRIVATE_KEY),
        browsers=list(PushSubscription.objects.filter(user=signed_in(request))),
        here=browser_of(request),
    )
