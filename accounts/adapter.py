"""Where allauth asks us."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sends people on to what they came for."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Experts go to their board, everybody else to the landing page or on to the request they wrote."""
        user = request.user
        if isinstance(user, User) and hasattr(user, "expert"):
            return reverse("board")
        return reverse("home")
