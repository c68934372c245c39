"""The keys we give a gateway: each made from the row it serves, and read back from the gateway's books."""

from uuid import UUID


def own_id(key: str, kind: str) -> UUID | None:
    """Return the id in one of our keys, such as `hold:<id>` or `refund:<id>:1`; None where it is none of that kind."""
    name, _, rest = key.partition(":")
    if name != kind:
        return None
    try:
        return UUID(rest.partition(":")[0])
    except ValueError:
        return None
