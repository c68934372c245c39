"""Forms for signing in."""

from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from allauth.account.internal.userkit import filter_users_by_email


class RequestLoginCodeForm(AllauthRequestLoginCodeForm):  # type: ignore[misc]  # allauth carries no types
    """To which address a code goes."""

    def clean_email(self) -> str:
        """Find suspended people too: they are told so, once they have shown by the code that it is they who ask."""
        email: str = super().clean_email()
        if email:
            users = filter_users_by_email(email, prefer_verified=True, for_login=True)
            self._user = users[0] if users else None
        return email
