"""Where allauth asks us."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from accounts import jobs, mail_address, phones
from accounts.fields import PhoneField
from accounts.http import is_recently_signed_in
from accounts.models import Phone, User
from accounts.push import device_name
from accounts.sign_in.guessing import SlowGuessing
from hopps.errors import Refused

logger = logging.getLogger(__name__)

# In the browser session: the number being verified, and the words in which texts to it were agreed to.
AGREED_SESSION_KEY = "phone_agreed"
MAIL_IS_LATE = "Our mail server does not answer right now. We keep trying: the mail may take a few minutes."
# How one shows once more that it is oneself.
WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class AccountAdapter(SlowGuessing):
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

    # --- What is sensitive, and saying so ---

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again who somebody is, unless they signed in or said so lately."""
        return not is_recently_signed_in(self.request)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Return the ways to show who one is, in our words."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**way, "description": WAYS.get(way["id"], way["description"])} for way in ways]

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Mail what was changed, and with which browser, in words. The change stands, whatever the mail server does."""
        agent = device_name(self.get_http_user_agent(self.request))
        super().send_notification_mail(template_prefix, user, {"user_agent": agent, **(context or {})}, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; one that the mail server does not take now is tried again by a job.

        Whoever waits for a code or a link is told that it comes late: in the same words whether there is an account or not.
        """
        message = self.render_mail(template_prefix, email, {"request": self.request, "email": email, **context})
        try:
            message.send()
        except (OSError, SMTPException):
            logger.warning("A mail about signing in could not be sent and is tried again", exc_info=True)
            jobs.mail_notice(email, message.subject, message.body)
            if "user_agent" not in context:  # only notices name a browser
                messages.warning(self.request, MAIL_IS_LATE)

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
