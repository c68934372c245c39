"""The second step of signing in: who must have one, and the codes that pass it, each of them once."""

import hmac
import logging
import time
from base64 import b32decode
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from hopps.at_rest import Unreadable

logger = logging.getLogger(__name__)

# Recovery codes alone are no second step: they stand in for one that was lost.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What authenticator apps expect where nothing else is said (RFC 6238, RFC 4226).
STEP_SECONDS = 30
DIGITS = 6
# Clocks of phones go wrong by less than this, in steps (RFC 6238, 5.2).
STEPS_OFF = 1


def has_second_factor(user: User) -> bool:
    """Return whether `user` is asked for an app's code or a passkey when signing in."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def needs_second_factor(user: User) -> bool:
    """Return whether what `user` may do is too much for a password alone."""
    if user.is_staff and settings.SECOND_FACTOR_FOR_OPERATORS:
        return True
    return bool(settings.SECOND_FACTOR_FOR_EXPERTS) and hasattr(user, "expert")


def lacks_second_factor(user: User | AnonymousUser) -> bool:
    """Return whether `user` must set one up before going on. Asks the database of those alone who need one."""
    return isinstance(user, User) and needs_second_factor(user) and not has_second_factor(user)


def use_code(*, user: User, code: str) -> Authenticator | None:
    """Use up a code of the person's app, or one of their recovery codes; return which it was of, None where it is neither.

    A code passes once (RFC 6238, 5.2), on whichever server: of two who use it at the same time, the row's last use decides.

    Args:
        user: whose code it is to be.
        code: as it was typed; spaces and dashes do not count.
    """
    digits = code.replace(" ", "").replace("-", "")
    for factor in Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN):
        try:
            used = _data_after(factor, digits)
        except Unreadable:
            logger.error("The %s of %s cannot be read: was SECRET_KEY changed?", factor.type, user.pk)
            continue
        if used is None:
            continue
        rows = Authenticator.objects.filter(pk=factor.pk, last_used_at=factor.last_used_at)
        if rows.update(data=used, last_used_at=timezone.now()):
            factor.refresh_from_db()
            return factor
    return None


def matching_step(*, secret: str, code: str) -> int | None:
    """Return the 30-second step since 1970 whose code this is, now or one off; None where there is none.

    Args:
        secret: the app's key, in base32.
        code: six digits.
    """
    hotp = HOTP(b32decode(secret), DIGITS, SHA1())  # noqa: S303  what apps compute; RFC 4226 stands without collisions
    now = int(time.time()) // STEP_SECONDS
    steps = range(now - STEPS_OFF, now + STEPS_OFF + 1)
    return next((step for step in steps if hmac.compare_digest(hotp.generate(step), code.encode())), None)


def recovery_codes_left(user: User) -> int | None:
    """Return how many recovery codes are unused; None where there are none at all, or they cannot be read."""
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    try:
        return len(factor.wrap().get_unused_codes()) if factor is not None else None
    except Unreadable:
        return None


def reset(*, user: User) -> bool:
    """Take all second steps away from `user`, who lost what they need for them, and mail it; return whether any were."""
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if deleted:
        from accounts import jobs  # late: permissions ask this module, and jobs stand on much that asks those

        jobs.mail_second_factor_reset(str(user.pk), f"second-factor-reset:{uuid4()}")
    return bool(deleted)


def _data_after(factor: Authenticator, digits: str) -> dict[str, Any] | None:
    """Return what `factor` keeps once this code was used; None where it is none of its unused codes."""
    if factor.type == Authenticator.Type.TOTP:
        step = matching_step(secret=decrypt(factor.data["secret"]), code=digits)
        # The code it was set up with is spent too.
        last_step = factor.data.get("last_step", int(factor.created_at.timestamp()) // STEP_SECONDS)
        return None if step is None or step <= last_step else {**factor.data, "last_step": step}
    mask: int = factor.data["used_mask"]
    for place, code in enumerate(factor.wrap().generate_codes()):
        if not mask >> place & 1 and hmac.compare_digest(code.encode(), digits.encode()):
            return {**factor.data, "used_mask": mask | 1 << place}
    return None
