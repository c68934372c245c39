"""DATABASE_URL as a database of Django's settings."""

from typing import Any

import dj_database_url


def database_at(url: str) -> dict[str, Any]:
    """Return the database that `url` names, for Django's `DATABASES`."""
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from hopps.mongodb.address import settings_of

        return settings_of(url)
    return dict(dj_database_url.parse(url))
