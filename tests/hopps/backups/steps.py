"""What every test of backups does: back up, restore, wipe, compare, damage."""

import io
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from hopps.backups import manifest
from hopps.backups.make import back_up
from hopps.backups.places import Folder
from hopps.backups.restore import find, restore
from hopps.backups.sealing import new_key
from hopps.rows.copy import is_empty
from hopps.rows.facts import export_rows

KEY = new_key()
NOW = datetime(2026, 11, 27, 2, 23, tzinfo=UTC)


def exported(using: str) -> bytes:
    out = io.BytesIO()
    export_rows(using, out)
    return out.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(place: Folder, using: str, now: datetime = NOW) -> manifest.Manifest:
    return back_up(place, using=using, key=KEY, now=now)


def bring_back(place: Folder, using: str, which: str = "latest", *, key: str = KEY, **options: bool) -> list[str]:
    """Restore; return what was said. Every file of chats must come back."""
    said: list[str] = []
    assert restore(place, find(place, which, key), using=using, key=key, now=NOW, say=said.append, **options) == {}
    return said


def wipe(using: str) -> None:
    call_command("flush", database=using, verbosity=0, interactive=False, inhibit_post_migrate=True)
    assert is_empty(using)


def databases_beside(using: str) -> list[str]:
    connection = connections[using]
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}_re%"])
            return [row[0] for row in cursor.fetchall()]
    if connection.vendor == "mongodb":
        client = connection.connection
        return [other for other in client.list_database_names() if other.startswith(f"{name}_re")]
    return []


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
