"""Backups of another release than the one that restores them, and of another version of the database's programs."""

from pathlib import Path

import msgspec
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import QuerySet
from pytest_django import Settings

from accounts.models import Topic
from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.places import Folder
from hopps.backups.restore import verify
from hopps.rows.facts import Facts, Table, facts_of
from hopps.rows.models import is_behind
from sessions_app.models import ChatFile
from tests.hopps.backups.steps import KEY, bring_back, make, wipe
from tests.hopps.conftest import Open, ThreeKinds


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
