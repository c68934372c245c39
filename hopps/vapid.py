"""The key a web push is signed with (VAPID, RFC 8292)."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode


def new_key() -> str:
    """Return a new private key, base64url: what VAPID_PRIVATE_KEY wants."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return str(b64urlencode(number.to_bytes(32, "big")))


@cache
def public_key(private_key: str) -> str:
    """Return the public half of `private_key`, base64url: what a page subscribes with. Empty where there is no key.

    Raises:
        ValueError: it is no key.
    """
    if not private_key:
        return ""
    public = Vapid02.from_string(private_key).public_key
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))


def problem_with(private_key: str, subject: str) -> str | None:
    """Return what is wrong with the two settings of these names, as a sentence; None where they can sign, or are off."""
    try:
        public_key(private_key)
    except ValueError:
        return "VAPID_PRIVATE_KEY is no key: `manage.py vapid` makes one."
    # Push services refuse a signature that does not say whom to write to.
    if private_key and not (subject.startswith("https://") or (subject.startswith("mailto:") and "@" in subject)):
        return f"VAPID_SUBJECT must be a mailto: or https: address, not {subject!r}."
    return None


def development_key(folder: Path) -> str:
    """Return the key kept in `folder`, made the first time: so subscriptions survive a restart."""
    path = folder / "development-vapid-key"
    if not path.exists():
        path.write_text(new_key())
        path.chmod(0o600)
    return path.read_text()
