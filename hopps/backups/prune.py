"""What is over the rule goes: backups, and files of chats that no backup names any more."""

from collections.abc import Iterable
from datetime import datetime

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.keeping import kept
from hopps.backups.manifest import ARCHIVE, MANIFEST, Manifest
from hopps.backups.places import LEFT_BEHIND, Kept, Place
from hopps.backups.uploads import SEALED, folder_of


def prune(place: Place, *, key: str, now: datetime) -> list[str]:
    """Delete what the rule lets go, and what was never finished; return the names of the backups that went.

    Only good backups count, so the last good one stays whatever became of others. What this key does not open is not ours,
    and is left alone; while there is such a one, so are all files of chats.

    Args:
        place: where the backups are.
        key: BACKUP_KEY.
        now: UTC.
    """
    objects = {found.name: found for found in place.list()}
    names = [name.removesuffix(MANIFEST) for name in objects if name.startswith(manifest.PREFIX) and name.endswith(MANIFEST)]
    good, unreadable = _good(place, key, objects, names)
    stay = kept(found.made_at for found in good)
    gone = [found for found in good if found.made_at not in stay]
    for found in gone:
        # The manifest first: a backup that is half deleted is none.
        place.delete(found.name + MANIFEST)
        place.delete(found.name + ARCHIVE)
    finished = set(names)
    for name, archive in objects.items():
        if name.endswith(ARCHIVE) and name.removesuffix(ARCHIVE) not in finished and archive.written_at < now - LEFT_BEHIND:
            place.delete(name)
    if not unreadable:
        _prune_uploads(place, key, objects.values(), [found for found in good if found not in gone], now)
    return [found.name for found in gone]


def _good(place: Place, key: str, objects: dict[str, Kept], names: list[str]) -> tuple[list[Manifest], bool]:
    good: list[Manifest] = []
    unreadable = False
    for name in sorted(names):
        try:
            found = manifest.read(place, name, key)
        except BackupError:
            unreadable = True
            continue
        archive = objects.get(name + ARCHIVE)
        if archive is not None and archive.size == found.archive.size:
            good.append(found)
        else:
            unreadable = True
    return good, unreadable


def _prune_uploads(place: Place, key: str, objects: Iterable[Kept], staying: list[Manifest], now: datetime) -> None:
    folder = folder_of(key)
    named = {f"{folder}{name}{SEALED}" for found in staying for name in found.uploads}
    for found in objects:
        # A backup that is being made has brought its files, and does not name them yet.
        if found.name.startswith(folder) and found.name not in named and found.written_at < now - LEFT_BEHIND:
            place.delete(found.name)
