"""A backup that is damaged, exchanged, cut short or another's is said, and changes nothing."""

import io
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import connections

from accounts.models import Topic
from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.places import Folder
from hopps.backups.restore import find, restore, verify
from hopps.backups.sealing import new_key
from hopps.backups.uploads import SEALED, folder_of
from hopps.databases import settings_of
from hopps.rows.opened import opened_as
from hopps.rows.progress import Progress
from tests.hopps.backups.steps import KEY, NOW, bring_back, change_a_bit, exported, files_in, make, shorten, wipe
from tests.hopps.conftest import KINDS, Open, ThreeKinds


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


@pytest.mark.parametrize("damage", [shorten, change_a_bit, _something_else, Path.unlink])
def test_a_damaged_file_of_a_chat_keeps_no_row_from_coming_back(
    using: str, place: Folder, uploads: Path, damage: Callable[[Path], None]
) -> None:
    made, rows, files = make(place, using), exported(using), files_in(uploads)
    lost = sorted(made.uploads)[1]
    damage(place.path / f"{folder_of(KEY)}{lost}{SEALED}")
    wipe(using)
    shutil.rmtree(uploads)
    said: list[str] = []
    missing = restore(place, made, using=using, key=KEY, now=NOW, say=said.append)
    assert list(missing) == [lost]
    assert lost in missing[lost]
    assert f"{len(files) - 1} files of chats came back, 0 were there." in said
    assert exported(using) == rows
    assert files_in(uploads) == {name: content for name, content in files.items() if name != lost}
    assert len(verify(place, made, using=using, key=KEY)) == 1


@pytest.mark.parametrize("damage", [shorten, change_a_bit, _something_else, Path.unlink])
def test_a_proof_seals_a_damaged_file_anew_where_its_original_is_there(
    using: str, place: Folder, uploads: Path, damage: Callable[[Path], None]
) -> None:
    made = make(place, using)
    sealed = place.path / f"{folder_of(KEY)}{min(made.uploads)}{SEALED}"
    damage(sealed)
    (wrong,) = verify(place, made, using=using, key=KEY)
    assert wrong.endswith("It was sealed anew from its original, and is good now.")
    assert verify(place, made, using=using, key=KEY) == []
    shutil.rmtree(uploads)
    bring_back(place, using, replace=True, keep=False)


def test_a_damaged_file_is_left_where_its_original_is_another_by_now(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    name = min(made.uploads)
    sealed = place.path / f"{folder_of(KEY)}{name}{SEALED}"
    change_a_bit(sealed)
    change_a_bit(uploads / name)
    before = sealed.read_bytes()
    (wrong,) = verify(place, made, using=using, key=KEY)
    assert "anew" not in wrong
    assert sealed.read_bytes() == before


def test_a_file_that_lies_empty_in_the_place_is_sealed_anew_by_the_next_backup(
    using: str, place: Folder, uploads: Path
) -> None:
    made = make(place, using)
    (place.path / f"{folder_of(KEY)}{min(made.uploads)}{SEALED}").write_bytes(b"")
    assert verify(place, make(place, using, NOW + timedelta(days=1)), using=using, key=KEY) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_without_tables_is_not_backed_up_and_none_is_made_by_asking(
    three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, kind: str
) -> None:
    address = three_kinds.new(kind)
    with opened_as(settings_of(address, connections=1)) as using:
        with pytest.raises(BackupError, match=r"is no database of Hopps: .* See whether DATABASE_URL names the right one"):
            make(place, using)
        if kind == "sqlite":
            assert not Path(connections[using].settings_dict["NAME"]).exists()
    assert files_in(place.path) == {}


def test_an_unfinished_copy_is_not_backed_up(using: str, place: Folder) -> None:
    made = make(place, using)
    Progress(using).begin("sqlite:///old.sqlite3")
    with pytest.raises(BackupError, match=r"is an unfinished copy from sqlite:///old\.sqlite3, .*copy_database` again"):
        make(place, using, NOW + timedelta(days=1))
    assert manifest.names_in(place) == [made.name]


def test_a_backup_that_failed_half_way_is_none(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    # Where the next file should go there is something in the way.
    storages["uploads"].save("2001-01-01/file", io.BytesIO(b"x"))
    (place.path / folder_of(KEY) / "2001-01-01").write_text("in the way")
    with pytest.raises(BackupError, match="The backup could not be made"):
        make(place, using, NOW + timedelta(days=1))
    assert manifest.names_in(place) == [made.name]
    assert find(place, "latest", KEY) == made
