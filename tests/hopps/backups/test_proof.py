"""A proof restores a backup aside, says what is wrong with it, and touches nothing."""

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import connections

from accounts.models import Topic
from hopps.backups.places import Folder
from hopps.backups.restore import verify
from hopps.backups.uploads import FOLDER
from sessions_app.models import ChatFile
from tests.hopps.backups.steps import KEY, bring_back, change_a_bit, databases_beside, exported, make
from tests.hopps.conftest import KINDS, Open, ThreeKinds


@pytest.mark.parametrize("kind", KINDS)
def test_a_proof_touches_nothing_and_leaves_nothing(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, kind: str
) -> None:
    using = open_database(three_kinds.with_site(kind, site))
    made = make(place, using)
    Topic.objects.using(using).filter(slug="databases").update(name="After the backup")
    rows = exported(using)
    assert verify(place, made, using=using, key=KEY) == []
    assert exported(using) == rows
    assert databases_beside(using) == []


@pytest.mark.parametrize("kind", ["postgresql", "mongodb"])
def test_a_proof_tidies_away_what_one_that_was_killed_left(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, kind: str
) -> None:
    using = open_database(three_kinds.with_site(kind, site))
    name, now = connections[using].settings_dict["NAME"], int(time.time())
    left, under_way = (f"{name}_restored_{began:08x}0000" for began in (now - 3 * 86_400, now - 60))
    for beside in (left, under_way):
        if kind == "postgresql":
            with connections[using]._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{beside}"')
        else:
            connections[using].ensure_connection()
            connections[using].connection[beside]["a"].insert_one({})
    assert verify(place, make(place, using), using=using, key=KEY) == []
    assert databases_beside(using) == [under_way]
    if kind == "postgresql":
        with connections[using]._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{under_way}"')
    else:
        connections[using].connection.drop_database(under_way)


def test_a_place_that_was_left_alone_for_long_is_not_taken_for_left_behind(using: str, uploads: Path) -> None:
    place = Folder(uploads.parent / "backup-1")
    made = make(place, using)
    long_ago = (datetime.now(UTC) - timedelta(days=30)).timestamp()
    os.utime(place.path, (long_ago, long_ago))
    assert verify(place, made, using=using, key=KEY) == []


def test_a_file_that_was_changed_in_the_place_is_found(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    first, second, *_ = sorted((place.path / FOLDER).rglob("*.age"))
    shutil.copy(first, second)
    # The same picture in all of them, but for one.
    assert verify(place, made, using=using, key=KEY) == []
    change_a_bit(first)
    second.unlink()
    wrong = verify(place, made, using=using, key=KEY)
    assert len(wrong) == 2
    assert "damaged" in wrong[0]
    assert "is not in" in wrong[1]


def test_a_proof_finds_files_that_rows_name_and_the_backup_never_held(using: str, place: Folder, uploads: Path) -> None:
    name = ChatFile.objects.using(using).values_list("stored_as", flat=True)[0]
    storages["uploads"].delete(name)
    made = make(place, using)
    wrong = verify(place, made, using=using, key=KEY)
    assert wrong == [f"The file {name} is named by a row, and was not there to back up."]
    # What there is comes back all the same.
    assert "The backup is good: every table and sum is as it was." in bring_back(place, using, replace=True, keep=False)
