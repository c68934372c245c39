"""Typed reading of the environment, so that a wrong value is a sentence at start-up and not a surprise at night."""

import os
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from limits import parse_many

# What `secret` gave out in this process: hopps.redaction takes it out of logs, wherever it stands.
secrets_read: set[str] = set()


def text(name: str, default: str = "") -> str:
    """Return the environment variable `name`, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def is_development() -> bool:
    """Return whether this is somebody's own machine (HOPPS_ENV=development), and not a site."""
    return text("HOPPS_ENV", "production") == "development"


def secret(name: str, default: str = "") -> str:
    """Return `name`, or what is in the file that `name`_FILE names, as Docker and Kubernetes hand secrets out.

    A line's end at the end of the file is not part of it.

    Raises ImproperlyConfigured where both are set, or where the file cannot be read or is empty. It never says a secret.
    """
    value, path = text(name), text(f"{name}_FILE")
    if not path:
        secrets_read.add(value)
        return value or default
    if value:
        raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set: which one holds? Set one of them.")
    try:
        found = Path(path).read_text().rstrip("\r\n")
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise ImproperlyConfigured(f"{name}_FILE names {path!r}, which cannot be read: {why}.") from None
    if not found.strip():
        raise ImproperlyConfigured(f"{name}_FILE names {path!r}, which is empty.")
    secrets_read.add(found)
    return found


def secrets(name: str) -> list[str]:
    """Return `secret(name)` split at commas, empty parts left out. Raises as it does."""
    found = _parts(secret(name))
    secrets_read.update(found)
    return found


def flag(name: str, default: bool = False) -> bool:
    """Return `name` as a yes or no. Raises ImproperlyConfigured for anything but 1/0/true/false/yes/no/on/off."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """Return `name` as a whole number. Raises ImproperlyConfigured when it is none from `least` to `most`, both included."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    bounds = ""
    if least is not None:
        bounds = f" from {least} to {most}" if most is not None else f" of at least {least}"
    try:
        found = int(value)
    except ValueError:
        found = None
    if found is None or (least is not None and found < least) or (most is not None and found > most):
        raise ImproperlyConfigured(f"{name} must be a whole number{bounds}, not {value!r}.")
    return found


def choice(name: str, allowed: Sequence[str]) -> str:
    """Return `name`, one of `allowed`; the first of them where it is unset. Raises ImproperlyConfigured for another."""
    value = text(name, allowed[0])
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
    return value


def price(name: str, default: str) -> str:
    """Return a price such as 0.20 as it is written. Raises ImproperlyConfigured when it is not one."""
    value = text(name, default).strip()
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        raise ImproperlyConfigured(f"{name} must be a price such as {default}, not {value!r}.")
    return value


def rate(name: str, default: str) -> str:
    """Return how often something may be done, such as "20/hour" or "5/minute; 20/hour", as it is written.

    Raises ImproperlyConfigured when it is not that, or allows nothing at all.
    """
    value = text(name, default)
    try:
        allowed = [item.amount for item in parse_many(value)]
    except ValueError:
        allowed = []
    if not allowed or min(allowed) < 1:
        raise ImproperlyConfigured(f"{name} must say how often, such as {default}, not {value!r}.")
    return value


def basis_points(name: str) -> int:
    """Return a percentage such as 8.1 in hundredths of a percent, 0 where it is unset.

    Raises ImproperlyConfigured when it is not a number from 0 to 100 with at most two decimals.
    """
    value = os.environ.get(name, "").strip() or "0"
    try:
        points = Decimal(value) * 100
        if 0 <= points <= 100 * 100 and points == int(points):
            return int(points)
    except InvalidOperation:
        pass
    raise ImproperlyConfigured(f"{name} must be a percentage such as 8.1, not {value!r}.")


def words(name: str, default: str = "") -> list[str]:
    """Return `name` split at commas, empty parts left out."""
    return _parts(text(name, default))


def _parts(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if part.strip()]


def ice_urls(name: str, scheme: str) -> list[str]:
    """Return the servers `name` lists, as browsers take them (RFC 7064, 7065).

    Args:
        name: the setting.
        scheme: "stun" or "turn"; with an s behind it, over TLS.

    Raises ImproperlyConfigured for another address: a browser given one makes no call at all.
    """
    found = words(name)
    # Only a relay's address may say how it is reached.
    query = r"(\?transport=(udp|tcp))?" if scheme == "turn" else ""
    for url in found:
        if not re.fullmatch(rf"{scheme}s?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{{1,5}})?{query}", url):
            raise ImproperlyConfigured(f"{name} takes addresses such as {scheme}:{scheme}.example.org:3478, not {url!r}.")
    return found
