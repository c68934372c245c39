"""What happens in accounts when something happens elsewhere."""

from typing import Any
from uuid import UUID

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import push
from accounts.models import User
from accounts.views_push import BROWSER_COOKIE


@receiver(user_logged_out)
def forget_this_browser(sender: object, request: HttpRequest | None, user: object, **_: Any) -> None:
    """Whoever signs out is not told of requests in this browser any more: another person may sit at it next."""
    if request is None or not isinstance(user, User):
        return
    try:
        browser = UUID(request.COOKIES.get(BROWSER_COOKIE, ""))
    except ValueError:
        return
    push.forget(user=user, browser=browser)
