"""A backup that is damaged, exchanged, cut short or another's is said, and changes nothing."""

import io
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages

from accounts.models import Topic
from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.places import Folder
from hopps.backups.restore import find
from hopps.backups.sealing import new_key
from hopps.backups.uploads import folder_of
from tests.hopps.backups.steps import KEY, NOW, bring_back, change_a_bit, exported, files_in, make, shorten


def test_nothing_in_the_place_can_be_read_without_the_key(using: str, place: Folder) -> None:
    make(place, using)
    for name, content in files_in(place.path).items():
        assert b"example.org" not in content, name
        assert content.startswith(b"age-encryption.org/v1"), name
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.path.rglob("*") if path.is_file())


def _something_else(path: Path) -> None:
    path.write_bytes(b"hello")


@pytest.mark.parametrize("what", [manifest.ARCHIVE, manifest.MANIFEST])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (shorten, "is damaged, or was cut short|is not what its manifest says"),
        (change_a_bit, "is damaged, or was cut short|is not what its manifest says"),
        (_something_else, "is no backup of Hopps|is not what its manifest says"),
        (Path.unlink, "is not in|There is no backup"),
    ],
)
def test_a_damaged_backup_is_said_and_changes_nothing(
    using: str, place: Folder, what: str, damage: Callable[[Path], None], words: str
) -> None:
    made = make(place, using)
    rows = exported(using)
    damage(place.path / f"{made.name}{what}")
    with pytest.raises(BackupError, match=words):
        bring_back(place, using, made.name, replace=True, keep=False)
    assert exported(using) == rows


def test_a_backup_with_another_key_is_said_and_changes_nothing(using: str, place: Folder) -> None:
    made = make(place, using)
    with pytest.raises(BackupError, match=f"{made.name} was made with another BACKUP_KEY"):
        bring_back(place, using, key=new_key(), replace=True)


def test_one_backups_manifest_does_not_go_with_anothers_archive(using: str, place: Folder) -> None:
    first = make(place, using)
    Topic.objects.using(using).filter(slug="databases").update(name="Newer")
    second = make(place, using, NOW + timedelta(days=1))
    shutil.copy(place.path / f"{first.name}{manifest.ARCHIVE}", place.path / f"{second.name}{manifest.ARCHIVE}")
    with pytest.raises(BackupError, match="is not what its manifest says"):
        bring_back(place, using, second.name, replace=True)
    shutil.copy(place.path / f"{first.name}{manifest.MANIFEST}", place.path / f"{second.name}{manifest.MANIFEST}")
    with pytest.raises(BackupError, match="is no backup that this release can read"):
        bring_back(place, using, second.name, replace=True)


def test_a_backup_that_failed_half_way_is_none(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    # Where the next file should go there is something in the way.
    storages["uploads"].save("2026-11-28/file", io.BytesIO(b"x"))
    (place.path / folder_of(KEY) / "2026-11-28").write_text("in the way")
    with pytest.raises(BackupError, match="The backup could not be made"):
        make(place, using, NOW + timedelta(days=1))
    assert manifest.names_in(place) == [made.name]
    assert find(place, "latest", KEY) == made
