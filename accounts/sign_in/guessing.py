"""Guessing passwords is slow, and nobody can lock anybody else out by doing it.

Wrong passwords are counted for an account and the address they come from. Guessing from a thousand addresses is counted for
the account alone, which would let a crowd lock its owner out: so a browser in which somebody has signed in before is known
by a cookie, and has a count of its own (OWASP, "Slow down online guessing attacks with device cookies").
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac

from accounts.sign_in.too_often import ACCOUNT, told
from hopps.limiting import address_of
from hopps.limits import neighbourhood

KNOWN_COOKIE = f"{settings.COOKIE_PREFIX}hopps_known"
_SECONDS = 400 * 24 * 60 * 60
_SALT = "accounts.sign_in.guessing"


def remember_browser(response: HttpResponse, *, email: str) -> None:
    """Have the browser that gets `response` be known as one in which the account of `email` was signed in to."""
    value = signing.dumps([_hidden(email), get_random_string(16)], salt=_SALT)
    response.set_cookie(
        KNOWN_COOKIE, value, max_age=_SECONDS, secure=not settings.DEVELOPMENT, httponly=True, samesite="Lax"
    )


def known_as(request: HttpRequest, email: str) -> str:
    """Return the name of this browser, where the account of `email` was signed in to in it; "" where not."""
    try:
        whose, name = signing.loads(request.COOKIES.get(KNOWN_COOKIE, ""), salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(name) if whose == _hidden(email) else ""


def _hidden(email: str) -> str:
    return salted_hmac(_SALT, email.lower(), algorithm="sha256").hexdigest()[:32]


class SlowGuessing(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """What allauth's adapter does about wrong passwords, counted as above."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address all our limits go by."""
        address = address_of(request)
        return address or str(super().get_client_ip(request))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{neighbourhood(address_of(request))}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try before it is made, so that many at once are not more. Raises TooOften."""
        email = str(credentials.get("email") or credentials.get("username") or "").lower()
        keys = {
            "login_failed": self._get_login_attempts_cache_key(request, **credentials),
            "login_failed_anywhere": f"{email}:{known_as(request, email)}",
        }
        self._tries = []
        for action, key in keys.items():
            usage = ratelimit.consume(request, app=ACCOUNT, action=action, key=key)
            if usage is None:
                self._rollback_login_failed_rl_usage()
                raise told(request, action=action, key=key)
            self._tries.append(usage)

    def _rollback_login_failed_rl_usage(self) -> None:
        """It was the right password, or none was tried."""
        for usage in self._tries:
            usage.rollback()
        self._tries = []
