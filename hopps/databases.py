"""Which database: what `DATABASE_URL` says, as Django's settings say it (DESIGN §8)."""

from collections.abc import Callable
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

Settings = dict[str, Any]

EXAMPLES = "sqlite:///hopps.sqlite3, postgresql://hopps:secret@db.example.org/hopps or mongodb://db.example.org/hopps"

# A connection whose other end has vanished is given up after this: seconds of silence, between questions, questions.
_POSTGRESQL_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# In milliseconds. A statement nobody waits for any more; a migration that stands in everybody's way; a process that stopped
# in the middle. An `options=` in the address takes the place of all three.
_POSTGRESQL_LIMITS = {
    "statement_timeout": 60_000,
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 60_000,
}
_POSTGRESQL_CONNECT_SECONDS = 10


def settings_of(address: str, *, connections: int) -> Settings:
    """Return what Django's DATABASES holds for the database at `address`.

    Args:
        address: as DATABASE_URL has it, such as postgresql://user:password@host/name.
        connections: how many each process may have open at once; for SQLite, a file, it means nothing.

    Raises ImproperlyConfigured with a sentence where it is no address of a database we know.
    """
    scheme = address.partition(":")[0].lower()
    make: Callable[..., Settings] | None = _SCHEMES.get(scheme)
    if make is None:
        raise ImproperlyConfigured(f"DATABASE_URL must begin with sqlite, postgresql or mongodb, such as {EXAMPLES}.")
    try:
        made = make(address, connections=connections)
    except ValueError as problem:
        # Not the address itself: it holds a password.
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {problem}. It looks like {EXAMPLES}.") from None
    if not made["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL names no database. It looks like {EXAMPLES}.")
    return made


def _sqlite(address: str, *, connections: int) -> Settings:
    made: Settings = dict(dj_database_url.parse(address))
    made["OPTIONS"] = {
        # Writers wait for each other instead of failing; readers never wait.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
    return made


def _postgresql(address: str, *, connections: int) -> Settings:
    made: Settings = dict(dj_database_url.parse(address))
    limits = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL_LIMITS.items())
    made["OPTIONS"] = {
        "connect_timeout": _POSTGRESQL_CONNECT_SECONDS,
        "application_name": "hopps",
        "options": limits,
        **_POSTGRESQL_ALIVE,
        **made.get("OPTIONS", {}),
        # Under ASGI a request's thread ends with it, and a connection kept for a thread would end too: the pool is the
        # process's (decision 0018). None is opened before it is needed, so that a process that forks has none to share.
        "pool": {"min_size": 0, "max_size": connections, "timeout": _POSTGRESQL_CONNECT_SECONDS},
    }
    # One that the server closed meanwhile, as when it was started again, is not handed out.
    made["CONN_HEALTH_CHECKS"] = True
    return made


def _mongodb(address: str, *, connections: int) -> Settings:
    # Nobody else needs MongoDB's driver.
    from hopps.mongodb.address import settings_of

    made = settings_of(address)
    made["OPTIONS"].setdefault("maxPoolSize", connections)
    return made


_SCHEMES: dict[str, Callable[..., Settings]] = {
    "sqlite": _sqlite,
    "postgres": _postgresql,
    "postgresql": _postgresql,
    "mongodb": _mongodb,
    "mongodb+srv": _mongodb,
}
