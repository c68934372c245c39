"""Who asks, and from which browser."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import ExpertProfile, User


def signed_in(request: HttpRequest) -> User:
    """Return the signed-in person.

    Raises:
        TypeError: nobody is signed in; the view lacks `login_required`.
    """
    if not isinstance(request.user, User):
        raise TypeError("This view must be behind login_required.")
    return request.user


def expert_or_404(request: HttpRequest) -> ExpertProfile:
    """Return the expert who is signed in. Raises Http404 where the person never applied."""
    expert = ExpertProfile.objects.filter(user=signed_in(request)).select_related("user").first()
    if expert is None:
        raise Http404
    return expert


def page_of_ours(address: str, *, otherwise: str) -> str:
    """Return `address`, which a form said it was on, where it is one of our pages; `otherwise` where it is not."""
    # Without a slash in front, `redirect` would look for a view of that name. What cannot be printed, half a surrogate pair
    # for one, cannot be an address either.
    ours = address.startswith("/") and address.isprintable() and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else otherwise


# Names the subscription a browser made last, for the day somebody else sits at it.
BROWSER_COOKIE = "hopps_push"


def browser_of(request: HttpRequest | None) -> UUID | None:
    """Return the id of the push subscription made in this very browser, which may be gone; None where it made none."""
    try:
        return UUID(request.COOKIES.get(BROWSER_COOKIE, "")) if request is not None else None
    except ValueError:
        return None
