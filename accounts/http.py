"""Who asks, whether they may, from which browser, and whether it is still them."""

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY, suspend_request
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.models import ExpertProfile, User
from accounts.permissions import Do, check
from hopps.http import wants_json

View = Callable[..., HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """Return the signed-in person.

    Raises:
        TypeError: nobody is signed in; the view lacks `login_required`.
    """
    if not isinstance(request.user, User):
        raise TypeError("This view must be behind login_required.")
    return request.user


def allowed(do: Do, find: Callable[[UUID], object | None] | None = None) -> Callable[[View], View]:
    """Make a view one for those who may `do` this: to anybody else the page is not there (404).

    It stands below `login_required`, which leads whoever is signed out to sign-in and back. A test finds the views without.

    Args:
        do: what is asked of the table in `permissions.py`.
        find: returns the thing it is done to, None where there is none. The id it gets is the first in the address; the
            view gets the thing instead.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **address: object) -> HttpResponseBase:
            if find is None:
                check(request.user, do)
                return view(request, **address)
            named = address.pop(next(iter(address)))
            thing = find(named) if isinstance(named, UUID) else None
            if thing is None:
                raise Http404
            check(request.user, do, thing)
            return view(request, thing, **address)

        guarded.asks = do  # type: ignore[attr-defined]
        return guarded

    return decorate


def expert_of(request: HttpRequest) -> ExpertProfile:
    """Return the expert who is signed in, of a view that is for experts (`allowed`)."""
    return ExpertProfile.objects.select_related("user").get(user=signed_in(request))


def page_of_ours(address: str, *, otherwise: str) -> str:
    """Return `address`, which a form said it was on, where it is one of our pages; `otherwise` where it is not."""
    # Without a slash in front, `redirect` would look for a view of that name. What cannot be printed, half a surrogate pair
    # for one, cannot be an address either.
    ours = address.startswith("/") and address.isprintable() and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else otherwise


# Names the subscription a browser made last, for the day somebody else sits at it.
BROWSER_COOKIE = f"{settings.COOKIE_PREFIX}hopps_push"


def browser_of(request: HttpRequest | None) -> UUID | None:
    """Return the id of the push subscription made in this very browser, which may be gone; None where it made none."""
    try:
        return UUID(request.COOKIES.get(BROWSER_COOKIE, "")) if request is not None else None
    except ValueError:
        return None


# In the browser session: when this sign-in was made, in seconds since 1970.
SIGNED_IN_AT = "signed_in_at"
ONCE_MORE = "Show once more that it is you: reload this page and try again."


def is_recently_signed_in(request: HttpRequest) -> bool:
    """Return whether the person signed in, or showed again who they are, within the time set."""
    shown = [record["at"] for record in get_authentication_records(request, request.user) if record.get("reauthenticated")]
    seconds: float = time.time() - max([request.session.get(SIGNED_IN_AT, 0), *shown])
    return seconds < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ask_who_it_is(request: HttpRequest, *, keeps: bool = True) -> HttpResponse:
    """Lead a person whose sign-in is old to where they show that it is them, and back.

    Args:
        request: what they asked for.
        keeps: whether what they posted is kept in the browser session meanwhile, and done then. Not for passwords.
    """
    if wants_json(request):
        return JsonResponse({"error": ONCE_MORE}, status=403)
    ways = get_adapter().get_reauthentication_methods(request.user)
    _give_up_what_waits_for(request)
    kept = bool(ways) and keeps and request.method == "POST"
    if kept:
        suspend_request(request, "")
    # Who has neither password nor second step signs in anew: with a mailed code, or at the provider.
    page = ways[0]["url"] if ways else reverse("account_sign_in_again")
    # What is kept has its query with it, and is known by its path.
    back = request.path if kept else request.get_full_path()
    return redirect(f"{page}?{urlencode({REDIRECT_FIELD_NAME: back})}")


def _give_up_what_waits_for(request: HttpRequest) -> None:
    """Forget what was posted to this very page earlier, maybe by somebody else who sat here: it is not asked for now."""
    waits = request.session.get(STATE_SESSION_KEY, {}).get("request")
    if waits is not None and json.loads(waits)["path"] == request.path:
        del request.session[STATE_SESSION_KEY]


def recently_signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Have a view, for people who are signed in, ask first whether it is still them, unless they said so lately.

    For what must not be done by whoever finds an open laptop. It asks when the form is opened already; one that was posted
    too late is kept, and done once they have answered.
    """

    @login_required
    @wraps(view)
    def asking(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if not is_recently_signed_in(request):
            return ask_who_it_is(request)
        return view(request, *arguments, **named)

    return asking
