"""Where allauth asks us."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from accounts import mail_address, phones
from accounts.fields import PhoneField
from accounts.models import Phone, User
from hopps.errors import Refused

# In the browser session: the number being verified, and the words in which texts to it were agreed to.
AGREED_SESSION_KEY = "phone_agreed"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sends people on to what they came for, and keeps their phone numbers."""

    error_messages = {  # allauth's own is a plain dict too
        **DefaultAccountAdapter.error_messages,
        "phone_taken": phones.TAKEN,
        "rate_limited": "That was quick. Wait a minute, then ask for a new code.",
    }

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make an address whose code was typed the person's own; return whether it is now."""
        user, address = email_address.user, email_address.email
        try:
            mail_address.confirm(user=user, address=address)
        except Refused as refusal:
            messages.error(request, refusal.sentence)
            return False
        kept = EmailAddress.objects.get(user=user, email=address.lower())
        email_address.pk, email_address.verified, email_address.primary = kept.pk, True, True
        email_confirmed.send(sender=EmailAddress, request=request, email_address=email_address)
        messages.success(request, f"{kept.email} is confirmed.")
        return True

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Experts go to their board, everybody else to the landing page or on to the request they wrote."""
        user = request.user
        if isinstance(user, User) and hasattr(user, "expert"):
            return reverse("board")
        return reverse("home")

    # --- Phones: only verified numbers are stored, so nobody can block a number by typing it ---

    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        """Return the field a number is typed into."""
        return PhoneField(**kwargs)

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        """Return the number of `user` and that it is verified, or None."""
        phone = Phone.objects.filter(user=user).first()
        return (phone.number, True) if phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        """Keep `phone`, unless it is still to be verified."""
        if verified:
            self.set_phone_verified(user, phone)

    def set_phone_verified(self, user: User, phone: str) -> None:
        """Keep `phone`: its code was typed. See `phones.verify` for what it raises."""
        agreed = self.request.session.pop(AGREED_SESSION_KEY, {})
        wording = agreed.get("wording", "") if agreed.get("number") == phone else ""
        phones.verify(user=user, number=phone, wording=wording)

    def get_user_by_phone(self, phone: str) -> User | None:
        """Return whose verified number this is."""
        return phones.owner_of(phone)

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        """Text the code. See `phones.send_code` for what it raises."""
        phones.send_code(user=user, number=phone, code=code)

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        """Nobody signs in by phone here: nothing to tell."""

    def send_account_already_exists_sms(self, phone: str) -> None:
        """Nobody signs up by phone here: nothing to tell."""
