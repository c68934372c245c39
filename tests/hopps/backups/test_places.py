"""What lies in the place of the backups: the files of chats once each, and what pruning leaves."""

import io
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.make import back_up
from hopps.backups.places import Folder
from hopps.backups.prune import prune
from hopps.backups.restore import verify
from hopps.backups.sealing import new_key
from hopps.backups.uploads import FOLDER
from sessions_app.models import ChatFile
from tests.hopps.backups.steps import KEY, NOW, bring_back, files_in, make, shorten


def test_a_file_is_brought_into_the_place_once(using: str, place: Folder, uploads: Path) -> None:
    make(place, using)
    written = {path: path.stat().st_ino for path in (place.path / FOLDER).rglob("*") if path.is_file()}
    assert len(written) == 6
    storages["uploads"].save("2026-11-27/later", io.BytesIO(b"later"))
    second = make(place, using, NOW + timedelta(days=1))
    assert len(second.uploads) == 7
    assert {path: path.stat().st_ino for path in written} == written


def test_with_a_new_key_the_backups_of_the_old_one_keep_their_files(using: str, place: Folder, uploads: Path) -> None:
    made, files, later = make(place, using), files_in(uploads), new_key()
    second = back_up(place, using=using, key=later, now=NOW + timedelta(days=1))
    prune(place, key=later, now=datetime.now(UTC) + timedelta(days=3))
    assert verify(place, second, using=using, key=later) == []
    shutil.rmtree(uploads)
    bring_back(place, using, made.name, replace=True, keep=False)
    assert files_in(uploads) == files


def test_a_place_beside_the_files_in_use_prunes_none_of_them(using: str, uploads: Path) -> None:
    beside, files = Folder(uploads.parent), files_in(uploads)
    make(beside, using)
    prune(beside, key=KEY, now=datetime.now(UTC) + timedelta(days=3))
    assert files_in(uploads) == files
    assert len(make(beside, using, NOW + timedelta(days=1)).uploads) == len(files)


def test_a_place_within_the_files_in_use_is_refused(using: str, uploads: Path) -> None:
    with pytest.raises(BackupError, match="BACKUP_TO must be a place of its own"):
        make(Folder(uploads), using)


def test_pruning_keeps_by_the_rule_and_files_that_a_kept_backup_names(using: str, place: Folder, uploads: Path) -> None:
    old = make(place, using, NOW - timedelta(days=60))
    second = make(place, using, NOW - timedelta(days=60) + timedelta(hours=1))
    ChatFile.objects.using(using).filter(stored_as=(gone := next(iter(old.uploads))))._raw_delete(using)
    storages["uploads"].delete(gone)
    newest = make(place, using, NOW)
    # Of the same day, week and month the last stays.
    assert prune(place, key=KEY, now=NOW) == [old.name]
    assert manifest.names_in(place) == [second.name, newest.name]
    assert len(files_in(place.path / FOLDER)) == 6
    place.delete(second.name + manifest.MANIFEST)
    later = datetime.now(UTC) + timedelta(days=3)
    prune(place, key=KEY, now=later)
    assert len(files_in(place.path / FOLDER)) == 5
    assert not (place.path / f"{second.name}{manifest.ARCHIVE}").exists()
    assert verify(place, newest, using=using, key=KEY) == []


def test_the_only_good_backup_stays_whatever_came_after_it(using: str, place: Folder) -> None:
    good = make(place, using, NOW - timedelta(days=60))
    for hour in range(1, 3):
        bad = make(place, using, NOW - timedelta(days=60) + timedelta(hours=hour))
        shorten(place.path / f"{bad.name}{manifest.ARCHIVE}")
    foreign = back_up(place, using=using, key=KEY, now=NOW)
    (place.path / f"{foreign.name}{manifest.MANIFEST}").write_bytes(b"of another site")
    assert prune(place, key=KEY, now=NOW + timedelta(days=3)) == []
    assert good.name in manifest.names_in(place)
    assert verify(place, good, using=using, key=KEY) == []
    assert (place.path / f"{foreign.name}{manifest.ARCHIVE}").exists()
