"""A MongoDB address (`mongodb://…`, `mongodb+srv://…`) as a database of Django's settings."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

# What holds unless the address says otherwise. How long a question may take, with looking for a server and every try: a
# replica set finds itself another first server in about 12 s; after that a page says so instead of hanging.
_PATIENCE = {"timeoutMS": 15_000, "connectTimeoutMS": 5_000}
# What an acknowledged write has survived: the power going off, and the first server of a replica set dying.
_CERTAINTY = {"w": "majority", "journal": True}


def settings_of(url: str) -> dict[str, Any]:
    """Return the database that `url` names, for Django's `DATABASES`.

    Raises:
        ImproperlyConfigured: it is no address, names no database, or gives up what Hopps rests on. No password is in it.
    """
    _, _, rest = url.partition("://")
    try:
        # Servers behind a name in DNS (mongodb+srv) are looked up on connecting, not while settings are read.
        parts = parse_uri(f"mongodb://{rest}")
    except (PyMongoError, ValueError) as problem:
        raise ImproperlyConfigured(
            f"DATABASE_URL is no address such as mongodb://user:password@host:27017/hopps: {problem}."
        ) from None
    if not parts["database"]:
        raise ImproperlyConfigured("DATABASE_URL names no database: end the address with one, such as /hopps.")
    asked = {name.lower(): value for name, value in parts["options"].items()}
    if refusal := _what_it_gives_up(asked):
        raise ImproperlyConfigured(f"DATABASE_URL: {refusal}")
    options = {name: value for name, value in (_PATIENCE | _CERTAINTY).items() if name.lower() not in asked}
    return {"ENGINE": "hopps.mongodb", "NAME": parts["database"], "HOST": url, "OPTIONS": options}


def _what_it_gives_up(asked: dict[str, Any]) -> str:
    """Return what is wrong with options of an address, by their names in small letters; empty when nothing is."""
    if asked.get("w") == 0 or asked.get("journal") is False:
        return "w=0 and journal=false lose what people were told is done. Leave them out."
    # A server that follows is behind: who has just accepted a request would read that nobody has.
    if asked.get("readpreference", "primary").lower() != "primary":
        return "readPreference must be primary, for what was just written is read back. Leave it out."
    return ""
