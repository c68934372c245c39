"""The keys we give a gateway: each made from the row it serves, and read back from the gateway's books."""

import hashlib
from uuid import UUID


def key_with(key: str, *parameters: str) -> str:
    """Return `key` made to belong to these parameters.

    A gateway refuses a key it knows with other parameters; a person's name and email change, and the key must go with them.
    """
    return f"{key}:{hashlib.sha256(chr(0).join(parameters).encode()).hexdigest()[:16]}"


def own_id(key: str, kind: str) -> UUID | None:
    """Return the id in one of our keys, such as `hold:<id>` or `refund:<id>:1`; None where it is none of that kind."""
    name, _, rest = key.partition(":")
    if name != kind:
        return None
    try:
        return UUID(rest.partition(":")[0])
    except ValueError:
        return None
