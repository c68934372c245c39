"""Backed up, wiped, restored: all is as it was; and what is there is touched only when it may be."""

import io
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.files.storage import storages
from django.db import DatabaseError, connections

from accounts.models import Topic
from hopps.backups.errors import BackupError
from hopps.backups.kinds import sqlite
from hopps.backups.kinds.postgresql import Postgresql
from hopps.backups.places import Folder
from hopps.backups.restore import restore, verify
from hopps.backups.uploads import folder_of
from hopps.rows.facts import facts_of
from hopps.rows.opened import opened_as, shut
from tests.hopps.backups.steps import KEY, NOW, bring_back, databases_beside, exported, files_in, make, wipe
from tests.hopps.conftest import KINDS, Open, ThreeKinds


def _no_database(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def _broken_within(path: Path) -> None:
    """Its first page is good, and so are the names of its tables."""
    data = path.read_bytes()
    keep = len(data) // 8
    path.write_bytes(data[:keep] + b"\xff" * (len(data) - keep))


@pytest.mark.parametrize("kind", KINDS)
def test_backed_up_wiped_and_restored_everything_is_as_it_was_to_the_byte(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, kind: str
) -> None:
    using = open_database(three_kinds.with_site(kind, site))
    rows, sums, files = exported(using), facts_of(using).sums, files_in(uploads)
    assert sums["ledger USD expert"] > 0
    assert len(files) == 6
    began = time.monotonic()
    made = make(place, using)
    backed_up = time.monotonic()
    wipe(using)
    shutil.rmtree(uploads)
    wiped = time.monotonic()
    said = bring_back(place, using)
    restored = time.monotonic()
    assert exported(using) == rows
    assert facts_of(using).sums == sums == made.facts.sums
    assert files_in(uploads) == files
    assert "6 files of chats came back, 0 were there." in said
    assert verify(place, made, using=using, key=KEY) == []
    print(f"{kind}: {made.facts.rows} rows, backed up in {backed_up - began:.1f} s, restored in {restored - wiped:.1f} s")


@pytest.mark.parametrize("kind", KINDS)
def test_keys_go_on_after_a_restore_and_constraints_hold(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, kind: str
) -> None:
    using = open_database(three_kinds.with_site(kind, site))
    make(place, using)
    bring_back(place, using, replace=True, keep=False)
    assert Group.objects.using(using).create(name="Later").pk > 7
    with pytest.raises(DatabaseError):
        Topic.objects.using(using).create(area="x", name="Databases", slug="databases", price_per_minute=1)


def test_a_database_with_rows_is_replaced_only_when_told_and_kept_before(using: str, place: Folder) -> None:
    made = make(place, using)
    Topic.objects.using(using).filter(slug="databases").update(name="Newer")
    newer = exported(using)
    with pytest.raises(BackupError, match=r"has \d+ rows, and is left as it is: --replace replaces it"):
        bring_back(place, using)
    assert exported(using) == newer
    said = bring_back(place, using, made.name, replace=True)
    assert Topic.objects.using(using).get(slug="databases").name == "Databases"
    kept = next(words for words in said if words.startswith("What was there is kept as "))
    assert kept.endswith(f" in {place.address}.")
    bring_back(place, using, kept.removeprefix("What was there is kept as ").partition(" ")[0], replace=True, keep=False)
    assert exported(using) == newer


def test_while_others_are_connected_to_postgresql_nothing_changes(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path
) -> None:
    address = three_kinds.with_site("postgresql", site)
    using, other = open_database(address), open_database(address)
    make(place, using)
    Topic.objects.using(other).filter(slug="databases").update(name="Newer")
    with pytest.raises(BackupError, match=r"Others are connected to \w+\. Stop web and worker first"):
        bring_back(place, using, replace=True, keep=False)
    assert Topic.objects.using(using).get(slug="databases").name == "Newer"
    assert databases_beside(using) == []


def test_postgresqls_two_databases_change_names_both_or_neither(
    site: Path, three_kinds: ThreeKinds, open_database: Open, tmp_path: Path
) -> None:
    using = open_database(three_kinds.with_site("postgresql", site))
    gone = connections[using].settings_dict | {"NAME": "not_there"}
    with opened_as(gone) as aside, pytest.raises(BackupError, match="not_there"):
        Postgresql().switch(using, aside, tmp_path)
    assert Topic.objects.using(using).exists()
    assert databases_beside(using) == []


def test_postgresqls_database_keeps_its_encoding_and_locale(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path
) -> None:
    using = open_database(three_kinds.with_site("postgresql", site))
    make(place, using)
    rows, name = exported(using), connections[using].settings_dict["NAME"]
    shut(using)
    with connections[using]._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}"')
        cursor.execute("SELECT datcollate FROM pg_database WHERE datname = 'template0'")
        # Another than the server gives a database that does not ask for one.
        locale = "C.UTF-8" if cursor.fetchone()[0] == "C" else "C"
        how = f"TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE '{locale}' LC_CTYPE '{locale}'"
        cursor.execute(f'CREATE DATABASE "{name}" {how}')
    bring_back(place, using)
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
        )
        assert cursor.fetchone() == ("UTF8", locale, locale)
    assert exported(using) == rows


def test_while_another_writes_to_sqlites_file_nothing_changes(
    using: str, place: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(place, using)
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0)
    with closing(sqlite3.connect(connections[using].settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE accounts_topic SET name = 'Newer' WHERE slug = 'databases'")
        with pytest.raises(BackupError, match=r"is being written to\. Stop web and worker first\."):
            bring_back(place, using, replace=True, keep=False)
        other.execute("COMMIT")
    assert Topic.objects.using(using).get(slug="databases").name == "Newer"


def test_what_is_written_after_the_last_backup_stops_a_restore(using: str, place: Folder) -> None:
    made = make(place, using)

    def say(words: str) -> None:
        if words.startswith("What was there is kept"):
            Topic.objects.using(using).filter(slug="databases").update(name="Newer")

    with pytest.raises(BackupError, match="is being written to"):
        restore(place, made, using=using, key=KEY, now=NOW, say=say, replace=True)
    assert Topic.objects.using(using).get(slug="databases").name == "Newer"


@pytest.mark.parametrize("damage", [_no_database, _broken_within])
def test_a_broken_file_is_replaced_when_told_and_moved_aside(
    site: Path, three_kinds: ThreeKinds, open_database: Open, place: Folder, uploads: Path, damage: Callable[[Path], None]
) -> None:
    using = open_database(three_kinds.with_site("sqlite", site))
    made, rows = make(place, using), exported(using)
    live = Path(connections[using].settings_dict["NAME"])
    shut(using)
    damage(live)
    broken = live.read_bytes()
    unwilling: tuple[dict[str, bool], ...] = ({}, {"replace": True}, {"keep": False})
    for options in unwilling:
        with pytest.raises(BackupError, match=r"cannot be read, .* is left as it is: --replace --no-backup replaces it"):
            bring_back(place, using, made.name, key=KEY, **options)
        shut(using)
        assert live.read_bytes() == broken
    said = bring_back(place, using, made.name, replace=True, keep=False)
    assert exported(using) == rows
    aside = Path(said[-1].rpartition(" and is ")[2].rstrip("."))
    assert aside.parent == live.parent
    assert aside.read_bytes() == broken
    assert [path for path in live.parent.glob(f"{live.name}.*") if path != aside] == []


def test_where_what_is_there_cannot_be_backed_up_it_is_said_how_to_go_on(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    storages["uploads"].save("2001-01-01/file", io.BytesIO(b"x"))
    (place.path / folder_of(KEY) / "2001-01-01").write_text("in the way")
    with pytest.raises(BackupError, match=r"The database was not changed: --no-backup replaces it all the same"):
        bring_back(place, using, made.name, replace=True)
    bring_back(place, using, made.name, replace=True, keep=False)


def test_another_kind_of_database_is_not_restored_into(
    using: str, site: Path, place: Folder, three_kinds: ThreeKinds, open_database: Open
) -> None:
    make(place, using)
    other = open_database(three_kinds.migrated("postgresql", site))
    with pytest.raises(BackupError, match=r"is of sqlite, and this database is postgresql: .*copy_database"):
        bring_back(place, other)
