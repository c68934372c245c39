"""Who asks, whether they may, and from which browser."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import ExpertProfile, User
from accounts.permissions import Do, check

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
    # What cannot be printed, half a surrogate pair for one, cannot be an address either.
    ours = address.isprintable() and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else otherwise


# Names the subscription a browser made last, for the day somebody else sits at it.
BROWSER_COOKIE = "hopps_push"


def browser_of(request: HttpRequest | None) -> UUID | None:
    """Return the id of the push subscription made in this very browser, which may be gone; None where it made none."""
    try:
        return UUID(request.COOKIES.get(BROWSER_COOKIE, "")) if request is not None else None
    except ValueError:
        return None
