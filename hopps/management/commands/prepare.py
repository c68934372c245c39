"""`manage.py prepare`: everything a server needs before it starts, in one go and cheap when nothing changed."""

import fcntl
import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from hopps import storage as static_storage
from hopps.rows.progress import Progress


class Command(BaseCommand):
    help = "Migrates the database and collects the static files; with --demo also loads the demo data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo data (development only)")

    def handle(self, *args: Any, **options: Any) -> None:
        if began := Progress(DEFAULT_DB_ALIAS).source():
            # Served, it would get rows of its own, and could not be finished any more.
            raise CommandError(
                f"The database is an unfinished copy from {began}. Run `manage.py copy_database` again first."
            )
        call_command("migrate", verbosity=0, interactive=False)
        if options["demo"]:
            call_command("demo", verbosity=0)
        collect_static()


def collect_static() -> None:
    """Collect the static files into STATIC_ROOT, unless that was done since any of them changed."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp = root.with_name(f"{root.name}.stamp")
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        # Test workers and servers may come here at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        fingerprint = _fingerprint()
        manifest = root / "staticfiles.json"
        if manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint:
            return
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(fingerprint)


def _fingerprint() -> str:
    """Return a checksum that changes when a static file is added, removed or written to, or what is made of them changes."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    digest.update(Path(static_storage.__file__).read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
