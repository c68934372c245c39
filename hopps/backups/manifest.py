"""What a backup says of itself. It is written last: a backup without one was never finished."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

from hopps.backups.errors import BackupError
from hopps.backups.places import Place
from hopps.backups.sealing import opening, sealing
from hopps.rows.facts import Facts

FORMAT = 1
PREFIX = "hopps-"
ARCHIVE = ".tar.zst.age"
MANIFEST = ".json.zst.age"
TIME = "%Y%m%dT%H%M%SZ"


class Sealed(msgspec.Struct, frozen=True):
    """A file as it lies in the place: its bytes and their SHA-256."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """One backup."""

    format: int
    name: str
    made_at: datetime
    release: str
    # The kind of database: "sqlite", "postgresql" or "mongodb".
    database: str
    # Those of the release that made it. What a newer one brought before it was rolled back is in the archive, and no more
    # hinders this release in restoring than it does in serving.
    migrations: list[str]
    archive: Sealed
    facts: Facts
    # Tables that were written to while they were read, where the database has no snapshots.
    moving: list[str]
    # Files of chats, by their names in the storage: their bytes, and the SHA-256 of those, not sealed.
    uploads: dict[str, Sealed]


def new_name(now: datetime) -> str:
    """Return a name for a backup made at `now` (UTC): no other has it."""
    return f"{PREFIX}{now.astimezone(UTC).strftime(TIME)}-{secrets.token_hex(3)}"


def made_at(name: str) -> datetime:
    """Return when a backup of this name was begun (UTC). Raises ValueError when it is no such name."""
    return datetime.strptime(name.removeprefix(PREFIX).rpartition("-")[0], TIME).replace(tzinfo=UTC)


def names_in(place: Place) -> list[str]:
    """Return the names of all finished backups, oldest first."""
    found = [kept.name.removesuffix(MANIFEST) for kept in place.list(PREFIX) if kept.name.endswith(MANIFEST)]
    return sorted(found)


def write(place: Place, manifest: Manifest, key: str) -> None:
    """Write it: from now on the backup is there."""
    with place.writing(manifest.name + MANIFEST) as out, sealing(out, key) as inner:
        inner.write(msgspec.json.encode(manifest))


def read(place: Place, name: str, key: str) -> Manifest:
    """Return what the backup `name` says of itself. Raises BackupError when there is none, or it cannot be read."""
    try:
        with place.reading(name + MANIFEST) as stream, opening(stream, key, name) as inner:
            text = inner.read()
        found = msgspec.json.decode(text, type=Manifest)
    except FileNotFoundError:
        raise BackupError(f"There is no backup {name} in {place.address}, or it was never finished.") from None
    except msgspec.DecodeError as problem:
        raise BackupError(f"{name} is no backup that this release can read: {problem}") from problem
    if found.format != FORMAT or found.name != name:
        raise BackupError(f"{name} is no backup that this release can read.")
    return found


class Measured:
    """A stream that is written to another, counted and summed on the way."""

    def __init__(self, out: IO[bytes]) -> None:
        """Write to `out`."""
        self._out = out
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        """Write on."""
        self._digest.update(data)
        self.size += len(data)
        return self._out.write(data)

    def flush(self) -> None:
        """Write on what waits."""
        self._out.flush()

    @property
    def sealed(self) -> Sealed:
        """What was written so far."""
        return Sealed(self.size, self._digest.hexdigest())


class MeasuredReading:
    """The same for reading."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read from `stream`."""
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._stream.read(size)
        self._digest.update(data)
        self.size += len(data)
        return data

    @property
    def sealed(self) -> Sealed:
        """What was read so far."""
        return Sealed(self.size, self._digest.hexdigest())


@contextmanager
def checked(stream: IO[bytes], wanted: Sealed, name: str) -> Iterator[MeasuredReading]:
    """Read a file of a backup to its end. Raises BackupError, when the block ends, if it is not what the manifest says."""
    reading = MeasuredReading(stream)
    yield reading
    while reading.read(1 << 20):
        pass
    if reading.sealed != wanted:
        raise BackupError(f"{name} is not what its manifest says: it is damaged, or of another backup.")
