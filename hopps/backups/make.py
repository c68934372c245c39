"""Making a backup: the database as of one moment, then the files its rows name, then what it says of itself."""

import contextlib
import logging
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.db import DatabaseError, connections

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.kinds import kind_of, name_of
from hopps.backups.manifest import Manifest, Measured
from hopps.backups.places import LEFT_BEHIND, Place
from hopps.backups.sealing import sealing
from hopps.backups.uploads import back_up_uploads
from hopps.rows.models import applied_migrations, unknown_migrations
from hopps.rows.opened import is_there
from hopps.rows.progress import Progress

logger = logging.getLogger(__name__)

# How such folders are called: as no place for backups is, for those that are left behind are deleted.
WORK = ".backup-"


def back_up(place: Place, *, using: str, key: str, now: datetime) -> Manifest:
    """Back up a database and the files of chats. Nobody waits for it.

    Args:
        place: where to.
        using: the database.
        key: BACKUP_KEY.
        now: UTC, for its name.

    Raises BackupError: what was written so far is no backup, and none that there was is touched. Also where the database is
    none of Hopps or an unfinished copy: that would be the newest backup, and a proof would find it good.
    """
    name = manifest.new_name(now)
    with _said():
        _refuse_what_is_not_whole(using)
    place.tidy(now)
    with _said(), work_folder() as folder:
        dumped = kind_of(using).dump(using, folder)
        with place.writing(name + manifest.ARCHIVE) as out:
            measured = Measured(out)
            with sealing(cast("IO[bytes]", measured), key) as inner, tarfile.open(fileobj=inner, mode="w|") as tar:
                for path in sorted(folder.iterdir()):
                    # No owner and no times of this machine.
                    tar.add(path, arcname=path.name, filter=_anonymous)
        # After the database: a row's file is stored before the row is written.
        made = Manifest(
            format=manifest.FORMAT,
            name=name,
            made_at=now,
            release=settings.RELEASE,
            database=connections[using].vendor,
            migrations=sorted(set(applied_migrations(using)) - set(unknown_migrations(using))),
            archive=measured.sealed,
            facts=dumped.facts,
            moving=list(dumped.moving),
            uploads=back_up_uploads(place, key, _known_uploads(place, key)),
        )
        manifest.write(place, made, key)
    logger.info("Backup %s: %d rows, %d files, %d bytes", name, made.facts.rows, len(made.uploads), made.archive.size)
    return made


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A folder on this machine for what is dumped or restored, for nobody else to read; gone when the block ends."""
    for path in Path(settings.VAR_DIR).glob(f"{WORK}*"):
        # Left by a process that was killed.
        if path.is_dir() and datetime.fromtimestamp(path.stat().st_mtime, UTC) < datetime.now(UTC) - LEFT_BEHIND:
            shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=settings.VAR_DIR, prefix=WORK) as folder:
        yield Path(folder)


def _refuse_what_is_not_whole(using: str) -> None:
    if not is_there(using) or not applied_migrations(using):
        raise BackupError(
            f"{name_of(using)} is no database of Hopps: no migration was ever applied to it, so it is not backed up. "
            "See whether DATABASE_URL names the right one, and whether its disk is there."
        )
    if began := Progress(using).source():
        raise BackupError(
            f"{name_of(using)} is an unfinished copy from {began}, so it is not backed up. "
            "Run `manage.py copy_database` again."
        )


def _known_uploads(place: Place, key: str) -> dict[str, manifest.Sealed]:
    for name in reversed(manifest.names_in(place)):
        with contextlib.suppress(BackupError):
            return manifest.read(place, name, key).uploads
    return {}


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


@contextlib.contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (OSError, DatabaseError) as problem:
        raise BackupError(f"The backup could not be made: {problem}") from problem
