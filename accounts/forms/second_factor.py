"""Codes and passkeys as people give them, in place of allauth's forms."""

import logging
from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.core.exceptions import ValidationError

from accounts.sign_in import second_factor

logger = logging.getLogger(__name__)

NO_PASSKEY_OF_YOURS = "That passkey is not known here. Use another one, or another way to sign in."
NOT_ADDED = "The browser's answer could not be used, so no passkey was added. Try again."
WRONG_CODE = "That code is not right, or it was used already. Wait for the next one and try again."
NAME_LENGTH = 80


def _code_field(label: str, help_text: str = "") -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}
    return forms.CharField(label=label, help_text=help_text, max_length=40, widget=forms.TextInput(attrs=attributes))


class _OneUse:
    """A code passes once, on whichever server it is given."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        clear_limit = check_rate_limit(self.user)
        code: str = self.cleaned_data["code"]
        factor = second_factor.use_code(user=self.user, code=code)
        if factor is None:
            self._say_it_failed()
            raise ValidationError(WRONG_CODE, code="incorrect_code")
        factor.user = self.user
        self.authenticator = factor
        clear_limit()
        return code

    def _say_it_failed(self) -> None:
        codes = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        if main := codes.order_by("-type").first():  # the app before the recovery codes
            self._emit_authentication_failed(main)  # type: ignore[attr-defined]  # of allauth's form beside this one


class AuthenticateForm(_OneUse, base.AuthenticateForm):  # type: ignore[misc]  # allauth carries no types
    """The second step of signing in."""

    code = _code_field("Code", "From your authenticator app, or one of your recovery codes.")


class ReauthenticateForm(_OneUse, base.ReauthenticateForm):  # type: ignore[misc]
    """Showing once more that it is you."""

    code = _code_field("Code", "From your authenticator app, or one of your recovery codes.")


class ActivateTOTPForm(totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app: it shows that the app has the key."""

    code = _code_field("Code the app shows", "Six digits. It changes every half minute.")

    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        clear_limit = check_rate_limit(self.user, error_key="rate_limited")
        code: str = self.cleaned_data["code"]
        digits = code.replace(" ", "").replace("-", "")
        if second_factor.matching_step(secret=self.secret, code=digits) is None:
            raise ValidationError("That is not the code the app should show now. Wait for the next one and try again.")
        clear_limit()
        return code


class AddPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey, and what to call it."""

    name = forms.CharField(
        required=False, max_length=NAME_LENGTH, label="Call it", help_text="So that you know later which one it is."
    )
    # Each is made so that it signs in on its own where the device can: there is nothing to choose.
    passwordless = None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = _asked(super().clean, NOT_ADDED)
        return data


class EditPasskeyForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    """What to call a passkey."""

    name = forms.CharField(max_length=NAME_LENGTH, label="Call it")


class _Passkey:
    def clean_credential(self) -> Authenticator:
        return _asked(super().clean_credential, NO_PASSKEY_OF_YOURS)  # type: ignore[misc]


class PasskeyForm(_Passkey, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step."""


class LoginPasskeyForm(_Passkey, webauthn.LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey as all of signing in."""


class ReauthenticatePasskeyForm(_Passkey, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey to show once more that it is you."""


def _asked(clean: Any, sentence: str) -> Any:
    """Return what `clean` makes of a browser's answer, or raise ValidationError with `sentence`.

    The answer is bytes within bytes, which anybody can send: whatever a parser trips over, it is no passkey of theirs.
    """
    try:
        return clean()
    except ValidationError as problem:
        if getattr(problem, "code", None) in ("rate_limited", "too_many_login_attempts", "unverified_email"):
            raise
        raise ValidationError(sentence, code="incorrect_code") from None
    except Exception as problem:
        logger.info("A passkey's answer was not one: %s", type(problem).__name__)
        auth.clear_state()
        raise ValidationError(sentence, code="incorrect_code") from None
