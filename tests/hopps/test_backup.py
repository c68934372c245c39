"""`manage.py backup` and `restore`: each kind of database, the files of chats, and all that can be wrong with a backup."""

import io
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from django.contrib.auth.models import Group
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from pytest_django import Settings

from accounts.models import Topic
from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.kinds import sqlite
from hopps.backups.kinds.postgresql import Postgresql
from hopps.backups.make import WORK, back_up
from hopps.backups.places import Folder
from hopps.backups.prune import prune
from hopps.backups.restore import find, restore, verify
from hopps.backups.sealing import new_key
from hopps.backups.uploads import FOLDER, folder_of
from hopps.rows.copy import is_empty
from hopps.rows.facts import Facts, Table, export_rows, facts_of
from hopps.rows.models import is_behind
from hopps.rows.opened import opened_as
from script.lib.postgresql import BIN, PACKAGE
from sessions_app.models import ChatFile
from tests.hopps.conftest import KINDS, Open, ThreeKinds

KEY = new_key()
NOW = datetime(2026, 11, 27, 2, 23, tzinfo=UTC)
Restore = Callable[..., list[str]]


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "backups")


@pytest.fixture
def uploads(site: Path, tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The site's files, in a folder of this test's own; and a folder for what is dumped."""
    folder = tmp_path / "uploads"
    shutil.copytree(site / "uploads", folder)
    settings.VAR_DIR = tmp_path
    # Of the version of the tests' server, or newer than another's.
    settings.POSTGRESQL_BIN = str(PACKAGE / BIN)
    settings.STORAGES = settings.STORAGES | {
        "uploads": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    }
    yield folder
    assert list(tmp_path.glob(f"{WORK}*")) == []


@pytest.fixture
def using(site: Path, three_kinds: ThreeKinds, open_database: Open, uploads: Path) -> str:
    """The site on SQLite, where the kind makes no difference."""
    return open_database(three_kinds.with_site("sqlite", site))


def exported(using: str) -> bytes:
    out = io.BytesIO()
    export_rows(using, out)
    return out.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(place: Folder, using: str, now: datetime = NOW) -> manifest.Manifest:
    return back_up(place, using=using, key=KEY, now=now)


def bring_back(place: Folder, using: str, which: str = "latest", *, key: str = KEY, **options: bool) -> list[str]:
    """Restore; return what was said."""
    said: list[str] = []
    restore(place, find(place, which, key), using=using, key=key, now=NOW, say=said.append, **options)
    return said


def wipe(using: str) -> None:
    call_command("flush", database=using, verbosity=0, interactive=False, inhibit_post_migrate=True)
    assert is_empty(using)


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
    assert _databases_beside(using) == []


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
    assert _databases_beside(using) == [under_way]
    if kind == "postgresql":
        with connections[using]._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{under_way}"')
    else:
        connections[using].connection.drop_database(under_way)


def _databases_beside(using: str) -> list[str]:
    connection = connections[using]
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}_re%"])
            return [row[0] for row in cursor.fetchall()]
    if connection.vendor == "mongodb":
        client = connection.connection
        return [other for other in client.list_database_names() if other.startswith(f"{name}_re")]
    return []


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
    bring_back(place, using, kept.removeprefix("What was there is kept as ").rstrip("."), replace=True, keep=False)
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
    assert _databases_beside(using) == []


def test_postgresqls_two_databases_change_names_both_or_neither(
    site: Path, three_kinds: ThreeKinds, open_database: Open, tmp_path: Path
) -> None:
    using = open_database(three_kinds.with_site("postgresql", site))
    gone = connections[using].settings_dict | {"NAME": "not_there"}
    with opened_as(gone) as aside, pytest.raises(BackupError, match="not_there"):
        Postgresql().switch(using, aside, tmp_path)
    assert Topic.objects.using(using).exists()
    assert _databases_beside(using) == []


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


@pytest.mark.parametrize(("version", "words"), [("9.6.1", "only version 9 was found"), ("", "none was found")])
def test_a_pg_dump_older_than_the_server_is_said(
    site: Path,
    three_kinds: ThreeKinds,
    open_database: Open,
    place: Folder,
    uploads: Path,
    settings: Settings,
    tmp_path: Path,
    version: str,
    words: str,
) -> None:
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    if version:
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version} (of another time)'\n")
        program.chmod(0o755)
    settings.POSTGRESQL_BIN = str(program.parent)
    using = open_database(three_kinds.with_site("postgresql", site))
    with pytest.raises(
        BackupError, match=rf"pg_dump of at least that version is needed, and {words}\. Install postgresql-client-"
    ):
        make(place, using)
    assert manifest.names_in(place) == []


def test_a_file_is_brought_into_the_place_once(using: str, place: Folder, uploads: Path) -> None:
    make(place, using)
    written = {path: path.stat().st_ino for path in (place.path / FOLDER).rglob("*") if path.is_file()}
    assert len(written) == 6
    storages["uploads"].save("2026-11-27/later", io.BytesIO(b"later"))
    second = make(place, using, NOW + timedelta(days=1))
    assert len(second.uploads) == 7
    assert {path: path.stat().st_ino for path in written} == written


def test_nothing_in_the_place_can_be_read_without_the_key(using: str, place: Folder) -> None:
    make(place, using)
    for name, content in files_in(place.path).items():
        assert b"example.org" not in content, name
        assert content.startswith(b"age-encryption.org/v1"), name
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.path.rglob("*") if path.is_file())


def _shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _a_bit_changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _something_else(path: Path) -> None:
    path.write_bytes(b"hello")


@pytest.mark.parametrize("what", [manifest.ARCHIVE, manifest.MANIFEST])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_shorter, "is damaged, or was cut short|is not what its manifest says"),
        (_a_bit_changed, "is damaged, or was cut short|is not what its manifest says"),
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


def test_a_place_that_was_left_alone_for_long_is_not_taken_for_left_behind(using: str, uploads: Path) -> None:
    place = Folder(uploads.parent / "backup-1")
    made = make(place, using)
    long_ago = (datetime.now(UTC) - timedelta(days=30)).timestamp()
    os.utime(place.path, (long_ago, long_ago))
    assert verify(place, made, using=using, key=KEY) == []


def test_a_place_within_the_files_in_use_is_refused(using: str, uploads: Path) -> None:
    with pytest.raises(BackupError, match="BACKUP_TO must be a place of its own"):
        make(Folder(uploads), using)


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


def test_a_file_that_was_changed_in_the_place_is_found(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    first, second, *_ = sorted((place.path / FOLDER).rglob("*.age"))
    shutil.copy(first, second)
    # The same picture in all of them, but for one.
    assert verify(place, made, using=using, key=KEY) == []
    _a_bit_changed(first)
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


def test_a_backup_that_failed_half_way_is_none(using: str, place: Folder, uploads: Path) -> None:
    made = make(place, using)
    # Where the next file should go there is something in the way.
    storages["uploads"].save("2026-11-28/file", io.BytesIO(b"x"))
    (place.path / folder_of(KEY) / "2026-11-28").write_text("in the way")
    with pytest.raises(BackupError, match="The backup could not be made"):
        make(place, using, NOW + timedelta(days=1))
    assert manifest.names_in(place) == [made.name]
    assert find(place, "latest", KEY) == made


def test_another_kind_of_database_is_not_restored_into(
    using: str, site: Path, place: Folder, three_kinds: ThreeKinds, open_database: Open
) -> None:
    make(place, using)
    other = open_database(three_kinds.migrated("postgresql", site))
    with pytest.raises(BackupError, match=r"is of sqlite, and this database is postgresql: .*copy_database"):
        bring_back(place, other)


def test_a_backup_of_an_older_release_is_brought_up_to_this_one(
    using: str, site: Path, place: Folder, three_kinds: ThreeKinds, open_database: Open
) -> None:
    # The columns that 0006 brings cannot be made up for rows there are.
    QuerySet(ChatFile, using=using)._raw_delete(using)
    call_command("migrate", "sessions_app", "0005", database=using, verbosity=0)
    made = make(place, using)
    assert "sessions_app.0006_file_numbers" not in made.migrations
    new = open_database(three_kinds.new("sqlite"))
    assert verify(place, made, using=new, key=KEY) == []
    assert "The backup is of an older release: it is brought up to this one." in bring_back(place, new)
    assert facts_of(new).tables["sessions_app.chatmessage"].rows == 12
    assert not is_behind(new)


def test_a_backup_of_a_newer_release_is_left_to_that(using: str, place: Folder) -> None:
    made = make(place, using)
    manifest.write(place, msgspec.structs.replace(made, migrations=[*made.migrations, "billing.0099_next"]), KEY)
    with pytest.raises(BackupError, match=r"is of a newer release \(.*\), with billing.0099_next"):
        bring_back(place, using, replace=True)


def test_a_release_that_was_rolled_back_to_restores_what_it_backed_up(using: str, place: Folder) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '0099_next', '2026-11-27')")
        cursor.execute("ALTER TABLE accounts_topic ADD COLUMN next text NOT NULL DEFAULT 'kept'")
    made = make(place, using)
    assert verify(place, made, using=using, key=KEY) == []
    wipe(using)
    bring_back(place, using)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT DISTINCT next FROM accounts_topic")
        assert cursor.fetchall() == [("kept",)]


def test_the_newer_release_looks_at_what_the_older_one_knew(using: str) -> None:
    whole = facts_of(using)
    topics = whole.tables["accounts.topic"]
    knew = Table(0, "", tuple(name for name in topics.columns if name != "name"))
    told = Facts({"accounts.topic": knew}, {})
    before = facts_of(using, told=told).tables
    assert before.keys() == {"accounts.topic"}
    Topic.objects.using(using).filter(slug="databases").update(name="Newer")
    assert facts_of(using, told=told).tables == before
    Topic.objects.using(using).filter(slug="databases").update(area="Newer")
    assert facts_of(using, told=told).tables != before
    assert facts_of(using).tables["accounts.topic"] != topics


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
        _shorter(place.path / f"{bad.name}{manifest.ARCHIVE}")
    foreign = back_up(place, using=using, key=KEY, now=NOW)
    (place.path / f"{foreign.name}{manifest.MANIFEST}").write_bytes(b"of another site")
    assert prune(place, key=KEY, now=NOW + timedelta(days=3)) == []
    assert good.name in manifest.names_in(place)
    assert verify(place, good, using=using, key=KEY) == []
    assert (place.path / f"{foreign.name}{manifest.ARCHIVE}").exists()
