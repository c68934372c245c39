"""What happens in accounts when something happens elsewhere."""

from typing import Any

from allauth.account import signals as allauth_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from accounts import push
from accounts.guessing import remember_browser
from accounts.http import browser_of
from accounts.models import User
from hopps.realtime.sockets import signed_out


@receiver(user_logged_out)
def forget_this_browser(sender: object, request: HttpRequest | None, user: object, **_: Any) -> None:
    """Whoever signs out is not told of requests in this browser any more: another person may sit at it next."""
    browser = browser_of(request)
    if browser is not None and isinstance(user, User):
        push.forget(user=user, browser=browser)


@receiver(user_logged_out)
def close_this_browsers_pages(sender: object, request: HttpRequest | None, user: object, **_: Any) -> None:
    """Whoever signs out leaves the board and the call that are open in this browser's other tabs."""
    if request is not None and isinstance(user, User) and request.session.session_key:
        signed_out(person_id=user.pk, session_key=request.session.session_key)


@receiver(user_logged_in)
def forget_who_was_here(sender: object, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Somebody else sits at this browser, and the person before never signed out."""
    browser = browser_of(request)
    if browser is not None:
        push.forget_others(user=user, browser=browser)


@receiver(allauth_signals.user_logged_in)
def know_this_browser(sender: object, response: HttpResponse, user: User, **_: Any) -> None:
    """Wrong passwords for this account, tried elsewhere, are not counted against this browser from now on."""
    remember_browser(response, email=user.email)
