"""Each night a backup, each week a proof of the newest; operators hear of neither unless it fails."""

import contextlib
import logging
import subprocess
import sys
from datetime import datetime, timedelta

from django.conf import settings

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.make import back_up
from hopps.backups.manifest import Manifest
from hopps.backups.places import Place
from hopps.backups.prune import prune

logger = logging.getLogger(__name__)

# A backup of the last hours is tonight's, whoever made it: what is tried again each hour is done once.
TONIGHT = timedelta(hours=8)


class Failed(Exception):
    """A command failed. The message is what it said."""


def tonights_backup(place: Place, *, using: str, key: str, now: datetime) -> Manifest | None:
    """Make tonight's backup, unless there is one, and let the old ones go.

    Args:
        place: where to.
        using: the database.
        key: BACKUP_KEY.
        now: UTC.

    Return None where there is one. Raises BackupError.
    """
    if _is_there(place, key, since=now - TONIGHT):
        return None
    made = back_up(place, using=using, key=key, now=now)
    prune(place, key=key, now=now)
    return made


def _is_there(place: Place, key: str, *, since: datetime) -> bool:
    """Return whether a backup made after `since` (UTC) is there, opens with this key, and has its archive."""
    sizes = {kept.name: kept.size for kept in place.list(manifest.PREFIX)}
    for name in reversed(manifest.names_in(place)):
        with contextlib.suppress(BackupError):
            found = manifest.read(place, name, key)
            if sizes.get(name + manifest.ARCHIVE) == found.archive.size:
                # Names are in the order of time.
                return found.made_at > since
    return False


def run(*arguments: str) -> None:
    """Run a management command in a process of its own: pages served by this one do not wait for it.

    Raises Failed with what it said.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Failed((done.stderr or done.stdout).strip()[-4000:])
    logger.info("%s: %s", arguments[0], done.stdout.strip())


def is_wanted() -> bool:
    """Return whether backups go anywhere; without a place for them there are none, and the log says so."""
    if not settings.BACKUP_TO:
        logger.warning("BACKUP_TO is not set: there is no backup")
    return bool(settings.BACKUP_TO)
