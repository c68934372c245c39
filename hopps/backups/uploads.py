"""Files of chats: each is sealed into the place once, for it never changes, and every backup says which belong to it."""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, cast

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db.models import QuerySet

from hopps.backups.errors import BackupError
from hopps.backups.manifest import Sealed
from hopps.backups.places import Place
from hopps.backups.sealing import name_of_key, opening, sealing
from hopps.rows.models import models_as_migrated

logger = logging.getLogger(__name__)

# Not as the storage of the files themselves is called: what prunes and sweeps must never take the one for the other.
FOLDER = "files/"
SEALED = ".zst.age"
CHUNK = 1 << 20


# Which column of which table names files in the storage.
_named_in: dict[str, str] = {}


def names_files(label: str, column: str) -> None:
    """Have every proof look whether a backup holds the files that rows name. For an app to call when it is ready.

    Args:
        label: the table, such as `sessions_app.chatfile`.
        column: holds a file's name in the storage.
    """
    _named_in[label] = column


def lost(using: str, held: Mapping[str, Sealed]) -> list[str]:
    """Return the names of files that rows of the database `using` name, and that are not among `held`; in order."""
    named = {
        str(name)
        for model in models_as_migrated(using)
        if (column := _named_in.get(model._meta.label_lower))
        for name in QuerySet(model, using=using).order_by().values_list(column, flat=True)
    }
    return sorted(named - held.keys())


def back_up_uploads(place: Place, key: str, known: Mapping[str, Sealed]) -> dict[str, Sealed]:
    """Bring what is new into the place; return all files there are now, by name: their bytes and the SHA-256 of those.

    Args:
        place: where to.
        key: BACKUP_KEY.
        known: what earlier backups say of files, so that those need not be read again.

    Raises BackupError where the place and the storage are one.
    """
    storage = storages["uploads"]
    # What a disk that was full or lost its power left empty is no sealed file.
    there = {kept.name for kept in place.list(folder_of(key)) if kept.size}
    found: dict[str, Sealed] = {}
    names = sorted(_names(storage))
    if any(name.endswith(SEALED) for name in names):
        # Each backup would hold those before it.
        raise BackupError(f"{place.address} is where the files of chats are: BACKUP_TO must be a place of its own.")
    for name in names:
        if name in known and _object(name, key) in there:
            found[name] = known[name]
            continue
        try:
            found[name] = _seal(place, key, storage, name)
        except FileNotFoundError:
            # Belonged to no chat, and was swept away while we looked: there is no row that names it.
            continue
    return found


def restore_uploads(place: Place, key: str, wanted: Mapping[str, Sealed]) -> tuple[int, dict[str, str]]:
    """Put the files of a backup where they are used from. None that is there is deleted, unless what was backed up comes.

    Return how many came, and of those that could not be brought back, by their names, in words why.
    """
    storage = storages["uploads"]
    restored = 0
    wrong: dict[str, str] = {}
    for name, sealed in wanted.items():
        if _is_there(storage, name, sealed):
            continue
        with tempfile.TemporaryFile() as copy:
            try:
                _read(place, key, name, sealed, copy.write)
            except BackupError as problem:
                wrong[name] = str(problem)
                continue
            if storage.exists(name):
                storage.delete(name)
            storage.save(name, File(copy))
        restored += 1
    return restored, wrong


def check_uploads(place: Place, key: str, wanted: Mapping[str, Sealed]) -> list[str]:
    """Read all files of a backup; return in words what is wrong with any.

    Each is stored once for all backups, so one that is damaged is sealed anew where its original is there as it was.
    """
    wrong = []
    for name, sealed in wanted.items():
        try:
            _read(place, key, name, sealed, len)
        except BackupError as problem:
            healed = " It was sealed anew from its original, and is good now." if _heal(place, key, name, sealed) else ""
            wrong.append(f"{problem}{healed}")
    return wrong


def _heal(place: Place, key: str, name: str, wanted: Sealed) -> bool:
    """Seal a file of a backup anew where its original is still what was backed up; return whether that was done."""
    storage = storages["uploads"]
    try:
        # Written in full, or what is there stays: nothing is deleted for it.
        if not _is_there(storage, name, wanted) or _seal(place, key, storage, name) != wanted:
            return False
        _read(place, key, name, wanted, len)
    except (BackupError, OSError) as problem:
        logger.warning("The file %s could not be sealed anew: %s", name, problem)
        return False
    return True


def _seal(place: Place, key: str, storage: Storage, name: str) -> Sealed:
    with storage.open(name) as stream, place.writing(_object(name, key)) as out, sealing(out, key) as inner:
        return _measured_copy(cast("IO[bytes]", stream), inner.write)


def _read(place: Place, key: str, name: str, wanted: Sealed, write: Callable[[bytes], object]) -> None:
    try:
        with place.reading(_object(name, key)) as stream, opening(stream, key, name) as inner:
            found = _measured_copy(inner, write)
    except FileNotFoundError:
        raise BackupError(f"The file {name} is not in {place.address} any more.") from None
    if found != wanted:
        raise BackupError(f"The file {name} is not what it was when it was backed up.")


def _is_there(storage: Storage, name: str, wanted: Sealed) -> bool:
    if not storage.exists(name):
        return False
    with storage.open(name) as stream:
        return _measured_copy(cast("IO[bytes]", stream), len) == wanted


def _measured_copy(stream: IO[bytes], write: Callable[[bytes], object]) -> Sealed:
    digest, size = hashlib.sha256(), 0
    while data := stream.read(CHUNK):
        digest.update(data)
        size += len(data)
        write(data)
    return Sealed(size, digest.hexdigest())


def _names(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files)
    for name in folders:
        yield from _names(storage, f"{folder}{name}/")


def folder_of(key: str) -> str:
    """Return what the names of all files sealed with a key begin with: another key's stay what its backups need."""
    return f"{FOLDER}{name_of_key(key)}/"


def _object(name: str, key: str) -> str:
    return f"{folder_of(key)}{name}{SEALED}"
