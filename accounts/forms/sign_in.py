"""Forms for signing in."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context, ratelimit

from accounts.sign_in.guessing import known_as


class RequestLoginCodeForm(AllauthRequestLoginCodeForm):  # type: ignore[misc]  # allauth carries no types
    """To which address a code goes."""

    def clean_email(self) -> str:
        """Find whose address it is, and count how often a code is asked for there.

        Suspended people are found too: they are told so, once the code has shown that it is they who ask. A browser in
        which the person signed in before has a count of its own, as with wrong passwords: strangers use up theirs alone.
        """
        email: str = self.cleaned_data["email"]
        key = f"{email.lower()}:{known_as(context.request, email)}"
        if not ratelimit.consume(context.request, action="request_login_code", key=key):
            raise get_adapter().validation_error("too_many_login_attempts")
        users = filter_users_by_email(email, prefer_verified=True, for_login=True)
        self._user = users[0] if users else None
        return email
