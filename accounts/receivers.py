"""What happens in accounts when something happens elsewhere."""

import time
from typing import Any

from allauth.account import signals as allauth_signals
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, password_changed, password_reset, password_set, user_signed_up
from allauth.mfa.signals import authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from accounts import push
from accounts.http import SIGNED_IN_AT, browser_of
from accounts.models import User
from accounts.sign_in import devices, providers
from accounts.sign_in.guessing import remember_browser
from hopps.realtime.hub import hub
from hopps.realtime.sockets import PERSON, person_audience, signed_out


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
        devices.forget(request.session.session_key)


@receiver(user_logged_in)
def forget_who_was_here(sender: object, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Somebody else sits at this browser, and the person before never signed out."""
    browser = browser_of(request)
    if browser is not None:
        push.forget_others(user=user, browser=browser)


@receiver(user_signed_up)
def remember_whose_sign_up(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """This browser began the account: what it set up there is its own."""
    request.session[providers.SIGNED_UP_SESSION_KEY] = str(user.pk)


@receiver(email_confirmed)
def shut_out_who_claimed_the_address(sender: object, request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    """An address is proven: nobody who claimed it before gets in."""
    providers.shut_out_earlier_claims(request, user=email_address.user, address=email_address)


@receiver(user_logged_in)
def connect_provider(sender: object, request: HttpRequest | None, user: User, **_: Any) -> None:
    """The person came back from a provider, and has now signed in to the account they have here."""
    if request is not None and hasattr(request, "session"):
        providers.connect_what_waited(request, user=user)


@receiver(user_logged_in)
def note_when(sender: object, request: HttpRequest | None, **_: Any) -> None:
    """What is sensitive asks how long ago this was (`http.recently_signed_in`)."""
    if request is not None:
        request.session[SIGNED_IN_AT] = time.time()


@receiver([password_changed, password_set, password_reset])
def look_at_sign_ins_again(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """Another password ends the person's other sign-ins, the pages that are open with them, and what is told there."""
    push.forget_elsewhere(user=user, browser=browser_of(request))
    hub.wake(person_audience(user.pk), PERSON)


@receiver(authenticator_removed)
def look_whether_one_is_left(sender: object, user: User, **_: Any) -> None:
    """Who needs a second step and took the last one away leaves the pages that want one."""
    hub.wake(person_audience(user.pk), PERSON)


@receiver(allauth_signals.user_logged_in)
def know_this_browser(sender: object, response: HttpResponse, user: User, **_: Any) -> None:
    """Wrong passwords for this account, tried elsewhere, are not counted against this browser from now on."""
    remember_browser(response, email=user.email)
