"""An authenticator app, as people have one on their phones: it reads a key and shows codes (RFC 6238)."""

import hmac
import struct
import time
from base64 import b32decode

STEP_SECONDS = 30


def code_of(secret: str, *, step: int = 0) -> str:
    """Return the six digits an app shows for the key `secret`, `step` half minutes from now."""
    counter = int(time.time()) // STEP_SECONDS + step
    digest = hmac.digest(b32decode(secret.replace(" ", "")), struct.pack(">Q", counter), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, at)[0] & 0x7FFFFFFF) % 10**6:06d}"
