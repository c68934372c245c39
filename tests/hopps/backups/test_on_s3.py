"""Backups into a bucket, and files of chats that are in one, with the real boto3 against moto's S3."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from pytest_django import Settings

from hopps.backups import manifest
from hopps.backups.errors import BackupError
from hopps.backups.make import back_up
from hopps.backups.places import place_at
from hopps.backups.prune import prune
from hopps.backups.restore import find, restore, verify
from hopps.backups.sealing import new_key
from hopps.rows.facts import facts_of
from tests.databases import SqliteFiles
from tests.hopps.conftest import Open, address_of
from tests.peers.s3 import BUCKET, S3StandIn

KEY = new_key()
NOW = datetime(2026, 11, 27, 2, 23, tzinfo=UTC)
BACKUPS = f"s3://{BUCKET}/backups/hopps"
# More than boto3 sends in one part.
LARGE = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3StandIn]:
    stand_in = S3StandIn(tmp_path_factory.mktemp("s3"))
    yield stand_in
    stand_in.stop()


@pytest.fixture
def s3(moto: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> S3StandIn:
    moto.reset()
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.fixture
def using(site: Path, tmp_path: Path, s3: S3StandIn, settings: Settings, open_database: Open) -> str:
    """The site, whose files are in a bucket of their own."""
    s3.client().create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    settings.VAR_DIR = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "uploads": {"BACKEND": "hopps.s3.S3Uploads", "OPTIONS": {"bucket_name": "files"}}
    }
    for path in (site / "uploads").rglob("*"):
        if path.is_file():
            storages["uploads"].save(path.relative_to(site / "uploads").as_posix(), io.BytesIO(path.read_bytes()))
    address = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    SqliteFiles().copy(address_of(site), address)
    return open_database(address)


def test_into_a_bucket_and_back_with_the_files_of_another(using: str, s3: S3StandIn) -> None:
    place = place_at(BACKUPS)
    before = facts_of(using)
    made = back_up(place, using=using, key=KEY, now=NOW)
    assert len(made.uploads) == 6
    assert all(name.startswith("backups/hopps/") for name in s3.objects())
    assert not any(b"example.org" in content for content in s3.objects().values())
    call_command("flush", database=using, verbosity=0, interactive=False, inhibit_post_migrate=True)
    for name in made.uploads:
        storages["uploads"].delete(name)
    said: list[str] = []
    restore(place, find(place, "latest", KEY), using=using, key=KEY, now=NOW, say=said.append)
    assert facts_of(using) == before
    assert "6 files of chats came back, 0 were there." in said
    assert verify(place, made, using=using, key=KEY) == []


def test_what_fails_half_way_leaves_nothing_in_the_bucket(s3: S3StandIn) -> None:
    place = place_at(BACKUPS)
    with pytest.raises(ZeroDivisionError), place.writing("name") as out:
        out.write(b"x" * LARGE + bytes(1 // 0))
    assert s3.objects() == {}


def test_a_large_one_goes_in_parts_and_comes_back_whole(s3: S3StandIn) -> None:
    place = place_at(BACKUPS)
    with place.writing("name") as out:
        out.write(b"x" * LARGE)
    head = s3.client().head_object(Bucket=BUCKET, Key="backups/hopps/name")
    assert head["ETag"].strip('"').endswith("-3")
    with place.reading("name") as stream:
        assert len(stream.read()) == LARGE
    assert [(kept.name, kept.size) for kept in place.list()] == [("name", LARGE)]


def test_parts_that_a_killed_process_left_are_tidied_away(s3: S3StandIn) -> None:
    client = s3.client()
    client.create_multipart_upload(Bucket=BUCKET, Key="backups/hopps/name")
    client.create_multipart_upload(Bucket=BUCKET, Key="somebody/elses")
    place = place_at(BACKUPS)
    # moto says of every such upload that it began in November 2010.
    place.tidy(datetime(2010, 11, 11, tzinfo=UTC))
    assert len(client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 2
    place.tidy(NOW)
    assert [upload["Key"] for upload in client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["somebody/elses"]


def test_the_rule_is_kept_in_a_bucket_too(using: str, s3: S3StandIn) -> None:
    place = place_at(BACKUPS)
    first = back_up(place, using=using, key=KEY, now=NOW - timedelta(days=60))
    second = back_up(place, using=using, key=KEY, now=NOW - timedelta(days=60) + timedelta(hours=1))
    newest = back_up(place, using=using, key=KEY, now=NOW)
    assert prune(place, key=KEY, now=NOW) == [first.name]
    assert manifest.names_in(place) == [second.name, newest.name]


def test_a_bucket_that_is_not_there_is_said(s3: S3StandIn) -> None:
    place = place_at("s3://nobodys-bucket/backups")
    with pytest.raises(BackupError, match=r"s3://nobodys-bucket/backups: .*NoSuchBucket"):
        find(place, "latest", KEY)
    with pytest.raises(BackupError, match="NoSuchBucket"), place.writing("name") as out:
        out.write(b"x")
