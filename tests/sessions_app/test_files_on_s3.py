"""Files of chats in a bucket, with the real boto3, against moto's S3."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Topic, User
from hopps.s3 import S3Uploads
from sessions_app import files
from sessions_app.models import ChatFile, HelpSession
from sessions_app.orphans import sweep_uploads
from tests.peers.s3 import BUCKET, S3StandIn
from tests.people import make_active
from tests.sessions_app.files_world import GIF, PNG, client_of, send

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3StandIn]:
    stand_in = S3StandIn(tmp_path_factory.mktemp("s3"))
    yield stand_in
    stand_in.stop()


@pytest.fixture(autouse=True)
def s3(moto: S3StandIn, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> S3StandIn:
    """An empty bucket, which this process stores in."""
    moto.reset()
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    backend = {"BACKEND": "hopps.s3.S3Uploads", "OPTIONS": {"bucket_name": BUCKET}}
    settings.STORAGES = settings.STORAGES | {"uploads": backend}
    return moto


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_active(alice, eve, topic, seconds=60)


def test_a_file_goes_into_the_bucket_and_comes_back(session: HelpSession, alice: User, eve: User, s3: S3StandIn) -> None:
    address = send(client_of(alice), session, PNG).json()["file"]["address"]
    assert s3.objects() == {ChatFile.objects.get().stored_as: PNG}
    assert client_of(eve).get(address).content == PNG


def test_ten_megabytes_go_into_the_bucket(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    assert send(client_of(alice), session, b"x" * (10 * 1024 * 1024), name="a.log").status_code == 200
    assert [len(content) for content in s3.objects().values()] == [10 * 1024 * 1024]


def test_sent_twice_it_is_there_once(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    file_id = uuid4()
    for content in (PNG, GIF):
        assert send(client_of(alice), session, content, file_id=file_id).status_code == 200
    assert list(s3.objects().values()) == [PNG]


def test_what_nobody_else_may_have_is_private(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    send(client_of(alice), session, PNG)
    grants = s3.client().get_object_acl(Bucket=BUCKET, Key=ChatFile.objects.get().stored_as)["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_a_bucket_out_of_reach_is_told_and_asked_again(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    person, file_id = client_of(alice), uuid4()
    s3.client().delete_bucket(Bucket=BUCKET)
    answer = send(person, session, PNG, file_id=file_id)
    assert (answer.status_code, answer.json()["error"]) == (503, files.NOT_KEPT)
    s3.reset()
    assert send(person, session, PNG, file_id=file_id).status_code == 200


def test_an_object_that_is_gone_is_not_found(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    person = client_of(alice)
    address = send(person, session, PNG).json()["file"]["address"]
    s3.client().delete_object(Bucket=BUCKET, Key=ChatFile.objects.get().stored_as)
    assert person.get(address).status_code == 404
    s3.client().delete_bucket(Bucket=BUCKET)
    assert person.get(address).status_code == 503


def test_the_sweep_finds_what_was_left_in_the_bucket(session: HelpSession, alice: User, s3: S3StandIn) -> None:
    send(client_of(alice), session, PNG)
    now = timezone.now()
    for number in range(3):
        storages["uploads"].save(f"{now:%Y-%m-%d}/orphan{number}", ContentFile(b"left"))
    sweep_uploads(now=now)
    assert len(s3.objects()) == 4
    sweep_uploads(now=now + timedelta(hours=2))
    assert list(s3.objects().values()) == [PNG]


def test_the_bucket_is_a_storage_like_any_other(s3: S3StandIn) -> None:
    storage = S3Uploads(BUCKET)
    storage.save("a/one", ContentFile(b"1"))
    storage.save("two", ContentFile(b"2"))
    assert storage.listdir("") == (["a"], ["two"])
    assert storage.listdir("a") == ([], ["one"])
    assert storage.exists("two")
    assert timezone.now() - storage.get_modified_time("two") < timedelta(minutes=1)
    storage.delete("two")
    assert not storage.exists("two")
    storage.delete("two")
    for ask in (storage.open, storage.get_modified_time):
        with pytest.raises(FileNotFoundError):
            ask("two")
