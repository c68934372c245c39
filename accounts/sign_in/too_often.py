"""allauth's own limits (settings.ACCOUNT_RATE_LIMITS): for how long they hold, and what is answered."""

import time

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from hopps.http import too_often
from hopps.limits import TooOften, noted

ACCOUNT, MFA = "allauth.account", "allauth.mfa"

# Where two requests at once kept each other waiting, no rate is full.
_SOON = 5.0
_SENTENCES = {
    "login": "Many people have tried to sign in from where you are.",
    "login_failed": "That was the wrong password several times.",
    "login_failed_anywhere": "Somebody has tried many wrong passwords for this account.",
    "signup": "Many people have signed up from where you are.",
    "confirm_email": "We have sent many codes lately.",
    "reset_password": "We were asked for many new passwords lately.",
}
_OTHERWISE = "That was very often."


def told(request: HttpRequest, *, action: str, key: str) -> TooOften:
    """Return what to tell whoever was refused `action`, by a limit on `key` or on their address; count and log it."""
    return _noted(action, _seconds_left(request, app=ACCOUNT, action=action, key=key))


def answer_too_often(request: HttpRequest) -> HttpResponse:
    """Answer a request that allauth refused; its handler429.

    allauth does not say which of its limits it was, so that all are looked at which this request may have met.
    """
    key = request.POST.get("email", "").lower()
    actions = [(ACCOUNT, action) for action in settings.ACCOUNT_RATE_LIMITS if not action.startswith("login_failed")]
    actions += [(MFA, action) for action in settings.MFA_RATE_LIMITS]
    left = {action: _seconds_left(request, app=app, action=action, key=key) for app, action in actions}
    longest = max(left, key=lambda action: left[action])
    return too_often(request, _noted(longest if left[longest] else "accounts", left[longest]))


def _noted(action: str, seconds: float) -> TooOften:
    refusal = TooOften(limit=action, seconds=seconds or _SOON, sentence=_SENTENCES.get(action, _OTHERWISE))
    noted(refusal, by="an address or account")
    return refusal


def _seconds_left(request: HttpRequest, *, app: str, action: str, key: str) -> float:
    """Return for how long `action` is still refused; 0 where it is not."""
    longest = 0.0
    for rate in ratelimit.get_rates(app=app, action=action):
        try:
            where = ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key or None)
        except ImproperlyConfigured:
            # A rate of persons or keys, and this request has none.
            continue
        # The newest first, and no more than the rate allows.
        times = cache.get(where, [])
        if len(times) >= rate.amount:
            longest = max(longest, times[rate.amount - 1] + rate.duration - time.time())
    return longest
