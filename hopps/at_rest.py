"""Small secrets that stand in the database and must be read again: sealed, so that a copy of the rows gives nothing away."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class Unreadable(ValueError):
    """This was not sealed with a key we have: SECRET_KEY was changed and the one before is not among the fallbacks."""


def seal(text: str) -> str:
    """Return `text` sealed (Fernet: AES-128-CBC and HMAC-SHA256) with a key made of SECRET_KEY."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what `seal` was given; SECRET_KEY_FALLBACKS are tried too. Raises Unreadable."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable("A sealed value cannot be opened with SECRET_KEY or its fallbacks.") from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    # For this purpose alone: whoever learns one key made of SECRET_KEY has not the others (RFC 5869).
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hopps at rest").derive(force_bytes(secret))
    return Fernet(urlsafe_b64encode(derived))
