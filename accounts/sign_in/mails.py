"""Mails about how somebody signs in."""

from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.mail import send_once
from accounts.models import User
from hopps.http import public_url


def mail_second_factor_reset(*, user: User, key: str) -> bool:
    """Mail a person that an operator took their second steps away, once under `key`. Raises as `send_once` does."""
    text = render_to_string("mfa/email/reset_by_operator.txt", {"user": user, "url": public_url(reverse("account_sign_in"))})
    return send_once(key=key, to=user, subject="Your second step was taken away", text=text)


def mail_notice(*, to: str, subject: str, text: str) -> None:
    """Mail a notice as it was written. Raises OSError and SMTPException where the mail server does not take it."""
    EmailMessage(subject=subject, body=text, to=[to]).send()
