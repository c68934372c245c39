"""Databases beside the one that settings name, by their address."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from hopps.databases import settings_of

# Of each database that is opened.
CONNECTIONS = 4

_numbers = count(1)
# Such as password, sslpassword, tlsCertificateKeyFilePassword, and AWS_SESSION_TOKEN among authMechanismProperties.
_SECRET_OPTION = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token|authMechanismProperties)[^=&]*=)[^&]*", re.IGNORECASE)


class CannotOpen(Exception):
    """A database is out of reach, or its address is none. The message says which; it holds no password."""


@contextmanager
def opened(url: str, *, make: bool = True) -> Iterator[str]:
    """Open the database at an address such as `postgresql://…`, and give it a name for `using=`, until the block ends.

    Args:
        url: the address.
        make: where it is a file that is not there, make an empty one.

    Raises:
        CannotOpen: nobody answers, it is no address, or a file that is not there and is not to be made.
    """
    try:
        found = settings_of(url, connections=CONNECTIONS)
    except (ImproperlyConfigured, ValueError, KeyError) as problem:
        raise CannotOpen(f"{without_password(url)}: {problem}") from None
    with opened_as(found) as using:
        if not is_there(using):
            if not make:
                raise CannotOpen(f"{without_password(url)}: there is no such file. See whether its path is right.")
            with suppress(OSError):  # SQLite says it better
                # People's data: for nobody else on this machine.
                Path(connections[using].settings_dict["NAME"]).touch(mode=0o600)
        try:
            connections[using].ensure_connection()
            connections[using].introspection.table_names()
        except DatabaseError as problem:
            raise CannotOpen(f"{without_password(url)} cannot be opened: {problem}") from problem
        yield using


@contextmanager
def opened_as(described: dict[str, Any]) -> Iterator[str]:
    """Do the same for a database as `settings.DATABASES` has it. Nobody is asked yet whether it is there."""
    using = f"opened-{next(_numbers)}"
    # One thread at work needs one connection, and hears at once that there is none.
    options = {name: value for name, value in described.get("OPTIONS", {}).items() if name != "pool"}
    described = described | {"OPTIONS": options}
    connections.settings[using] = connections.configure_settings({"default": {}, using: described})[using]
    try:
        yield using
    finally:
        shut(using)
        del connections[using]
        del connections.settings[using]


def shut(using: str) -> None:
    """Let go of a database; it is opened again where it is asked for something."""
    connection = connections[using]
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()


def is_there(using: str) -> bool:
    """Return whether the file of a database is there, without making it as opening would. Servers answer for themselves."""
    connection: Any = connections[using]
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return True
    return Path(connection.settings_dict["NAME"]).exists()


def without_password(url: str) -> str:
    """Return an address as it may be shown: without the password before the host, and without those of its options."""
    scheme, separator, rest = _SECRET_OPTION.sub(r"\1…", url).partition("://")
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    return f"{scheme}{separator}{user}{':…' if colon else ''}{at}{after}" if at else f"{scheme}{separator}{rest}"
