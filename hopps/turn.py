"""Credentials for a TURN relay that shares a secret with us ("TURN REST API"): the relay is not asked for them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class Credential:
    """A name and password the relay takes until the moment the name says."""

    username: str
    password: str


def mint(*, secret: str, holder: str, expires_at: int) -> Credential:
    """Return the credential of `holder`.

    The rule is that of draft-uberti-behave-turn-rest, which coturn keeps with `use-auth-secret`: the name is
    `<unix time>:<holder>`, the password base64(HMAC-SHA1(secret, name)).

    Args:
        secret: what the relay calls its static-auth-secret.
        holder: whose it is; the relay writes it to its log, so it must name nobody to a stranger.
        expires_at: Unix time in seconds; the relay refuses the name after it.
    """
    username = f"{expires_at}:{holder}"
    return Credential(username=username, password=sign(secret, username))


def sign(secret: str, text: str) -> str:
    """Return base64(HMAC-SHA1(secret, text))."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()
