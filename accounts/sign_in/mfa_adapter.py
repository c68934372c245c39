"""Where allauth's second factors ask us."""

from ipaddress import ip_address
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings

from accounts.models import User
from accounts.push import device_name
from hopps.at_rest import seal, unseal


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Seals what is secret, names things, and says in our words what went wrong."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is not right, or it was used already. Wait for the next one and try again.",
        "unverified_email": "Confirm your email address first: without it you could not get back in.",
        "cannot_generate_recovery_codes": "Set up an app or a passkey first: recovery codes stand in for those.",
    }

    def encrypt(self, text: str) -> str:
        """Seal the key of an app, or what recovery codes are made of."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it. Raises Unreadable."""
        return unseal(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  allauth's name
        """Call a passkey what its person would: by the device it is made on."""
        return device_name(self.request.headers.get("User-Agent", ""))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Say which site passkeys are for: the one people reach us by, whatever a request claims its host to be."""
        return {"id": passkey_host(), "name": "Hopps"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Say whose passkey it is: what devices list it under."""
        return {"id": str(user.pk).encode(), "display_name": str(user), "name": user.email}


def passkey_host() -> str:
    """Return the host passkeys are bound to. Browsers make none for a bare address: on one's own machine it is localhost."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"
