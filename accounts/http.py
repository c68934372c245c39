"""Who asks, and from which browser."""

from uuid import UUID

from django.http import HttpRequest

from accounts.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the signed-in person.

    Raises:
        TypeError: nobody is signed in; the view lacks `login_required`.
    """
    if not isinstance(request.user, User):
        raise TypeError("This view must be behind login_required.")
    return request.user


# Names the subscription a browser made last, for the day somebody else sits at it.
BROWSER_COOKIE = "hopps_push"


def browser_of(request: HttpRequest | None) -> UUID | None:
    """Return the id of the push subscription made in this very browser, which may be gone; None where it made none."""
    try:
        return UUID(request.COOKIES.get(BROWSER_COOKIE, "")) if request is not None else None
    except ValueError:
        return None
