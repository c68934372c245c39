"""Who asks, for views behind `login_required`."""

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
