"""A backup back into use, or proved without that. It is whole and restored aside before anything of today is touched."""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, cast

from django.core.management import call_command
from django.db import DatabaseError, connections

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.kinds import is_broken, kind_of, name_of
from hopps.backups.make import back_up, work_folder
from hopps.backups.manifest import Manifest, checked
from hopps.backups.places import Place
from hopps.backups.sealing import opening
from hopps.backups.uploads import check_uploads, lost, restore_uploads
from hopps.rows.copy import MADE_BY_MIGRATING, counts
from hopps.rows.facts import differences, facts_of
from hopps.rows.models import is_behind, known_migrations

LATEST = "latest"
Say = Callable[[str], None]


def find(place: Place, which: str, key: str) -> Manifest:
    """Return the backup of this name, or the newest one for "latest". Raises BackupError when there is none."""
    if which != LATEST:
        return manifest.read(place, which.removesuffix(manifest.MANIFEST).removesuffix(manifest.ARCHIVE), key)
    names = manifest.names_in(place)
    if not names:
        raise BackupError(f"There is no backup in {place.address}.")
    return manifest.read(place, names[-1], key)


def held_rows(using: str) -> dict[str, int] | None:
    """Return what a restore would replace: how many rows of which table. Empty where there is nothing to lose.

    None where nobody can say, for the database's file is broken. Raises DatabaseError where it is out of reach.
    """
    try:
        held = {label: count for label, count in counts(using).items() if count}
    except DatabaseError as problem:
        if is_broken(problem):
            return None
        raise
    return held if held.keys() - MADE_BY_MIGRATING else {}


def verify(place: Place, wanted: Manifest, *, using: str, key: str) -> list[str]:
    """Restore a backup beside the database in use, compare all of it with what it says, and clean up.

    Return in words what is wrong; empty when it is good. Raises BackupError where it cannot be restored at all.
    """
    with _restored_aside(place, wanted, using, key) as (aside, _):
        wrong = _wrong(wanted, aside)
        missing = lost(aside, wanted.uploads)
        wrong += [f"The file {name} is named by a row, and was not there to back up." for name in missing]
        return wrong + check_uploads(place, key, wanted.uploads)


def restore(
    place: Place,
    wanted: Manifest,
    *,
    using: str,
    key: str,
    now: datetime,
    say: Say,
    replace: bool = False,
    keep: bool = True,
) -> dict[str, str]:
    """Put a backup in the place of the database `using`, and its files where they are used from.

    Args:
        place: where it is.
        wanted: which.
        using: the database; whoever writes to it must be stopped.
        key: BACKUP_KEY.
        now: UTC.
        say: is told how it goes.
        replace: also where the database has rows.
        keep: back up what is replaced before that.

    Return the files of chats that could not be brought back, by their names, and in words why: one that is damaged, which
    every backup may name, keeps no row from coming back.

    Raises BackupError: nothing was changed, except that files of chats may have come back. Where some tables of MongoDB were
    replaced, the message says so.
    """
    held = held_rows(using)
    if held is None and not (replace and not keep):
        raise BackupError(
            f"{name_of(using)} cannot be read, so it cannot be kept as a backup, and is left as it is: "
            "--replace --no-backup replaces it, and moves the broken file aside."
        )
    if held and not replace:
        raise BackupError(f"{name_of(using)} has {sum(held.values())} rows, and is left as it is: --replace replaces it.")
    with _restored_aside(place, wanted, using, key) as (aside, folder):
        if wrong := _wrong(wanted, aside):
            raise BackupError("\n".join([f"{wanted.name} is not good, and nothing was changed.", *wrong]))
        say("The backup is good: every table and sum is as it was." if not wanted.moving else _not_compared(wanted))
        count, missing = restore_uploads(place, key, wanted.uploads)
        say(f"{count} files of chats came back, {len(wanted.uploads) - count - len(missing)} were there.")
        if held and keep:
            try:
                kept = back_up(place, using=using, key=key, now=now)
            except BackupError as problem:
                raise BackupError(
                    f"{problem} The database was not changed: --no-backup replaces it all the same."
                ) from problem
            say(f"What was there is kept as {kept.name} in {place.address}.")
            if facts_of(using) != kept.facts:
                # What is written from here on would be in neither.
                raise BackupError(f"{name_of(using)} is being written to. Stop web and worker first. Nothing was changed.")
        with _told():
            if words := kind_of(using).switch(using, aside, folder):
                say(words)
    if is_behind(using):
        say("The backup is of an older release: it is brought up to this one.")
        call_command("migrate", database=using, verbosity=0, interactive=False)
    return missing


@contextmanager
def _restored_aside(place: Place, wanted: Manifest, using: str, key: str) -> Iterator[tuple[str, Path]]:
    vendor = connections[using].vendor
    if wanted.database != vendor:
        raise BackupError(
            f"{wanted.name} is of {wanted.database}, and this database is {vendor}: restore it into a database of its kind, "
            "then `manage.py copy_database`."
        )
    if unknown := set(wanted.migrations) - known_migrations():
        raise BackupError(
            f"{wanted.name} is of a newer release ({wanted.release}), with {min(unknown)}: restore it with that."
        )
    with work_folder() as folder:
        _unpack(place, wanted, key, folder)
        with _told(), kind_of(using).aside(using, folder) as aside:
            yield aside, folder


def _unpack(place: Place, wanted: Manifest, key: str, folder: Path) -> None:
    name = wanted.name + manifest.ARCHIVE
    try:
        with (
            place.reading(name) as stream,
            checked(stream, wanted.archive, name) as measured,
            opening(cast("IO[bytes]", measured), key, name) as inner,
            tarfile.open(fileobj=inner, mode="r|") as tar,
        ):
            # "data": no path out of the folder, no link, no device.
            tar.extractall(folder, filter="data")
    except FileNotFoundError:
        raise BackupError(f"{name} is not in {place.address}.") from None


def _not_compared(wanted: Manifest) -> str:
    return f"The backup is good. Not compared, for they were written to while it was made: {', '.join(wanted.moving)}."


def _wrong(wanted: Manifest, aside: str) -> list[str]:
    return differences(wanted.facts, facts_of(aside, told=wanted.facts), leave_out=wanted.moving)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DatabaseError as problem:
        raise BackupError(f"The database could not be restored: {problem}") from problem
