"""The commands and the jobs, as operators and the night run them: on a server's own database, whatever kind that is."""

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command
from pytest_django import Settings

from hopps import tasks
from hopps.backups import manifest, nightly
from hopps.backups.places import Folder, place_at
from hopps.backups.sealing import new_key, problem_with
from hopps.backups.uploads import FOLDER, SEALED
from hopps.rows.facts import facts_of
from hopps.rows.opened import opened
from tests.hopps.conftest import Open, ThreeKinds
from tests.jobs import JobsInMemory, jobs_in_memory
from tests.live import environment_of, manage

NOW = datetime(2026, 11, 27, 2, 23, tzinfo=UTC)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Folder:
    """Backups go into a folder of this test's own."""
    settings.VAR_DIR = tmp_path
    settings.BACKUP_TO = str(tmp_path / "backups")
    settings.BACKUP_KEY = new_key()
    return Folder(tmp_path / "backups")


def test_a_new_key_is_printed_and_is_one() -> None:
    line = run("backup", "--new-key").splitlines()[0]
    assert problem_with(line.removeprefix("BACKUP_KEY=")) is None


def test_without_a_place_it_says_so(settings: Settings) -> None:
    settings.BACKUP_TO = ""
    for command in (["backup"], ["restore", "latest"], ["restore", "--verify"]):
        with pytest.raises(CommandError, match=r"BACKUP_TO is not set: name a folder, or s3://bucket/prefix\."):
            run(*command)


def test_a_place_that_is_none_is_said() -> None:
    with pytest.raises(Exception, match="must be a folder or s3://bucket/prefix, not 's3:bucket'"):
        place_at("s3:bucket")


def test_without_a_backup_there_is_nothing_to_restore(place: Folder) -> None:
    with pytest.raises(CommandError, match="There is no backup in"):
        run("restore", "latest")
    with pytest.raises(CommandError, match="There is no backup hopps-x in"):
        run("restore", "hopps-x")
    with pytest.raises(CommandError, match="Say which backup"):
        run("restore")


def test_an_operators_evening(
    site: Path, tmp_path: Path, place: Folder, settings: Settings, three_kinds: ThreeKinds, open_database: Open
) -> None:
    """Made, proved, refused, restored by its path: in processes of their own. Listed and pruned here."""
    address = three_kinds.with_site("sqlite", site)
    shutil.copytree(site / "uploads", tmp_path / "uploads")
    using = open_database(address)
    before = facts_of(using)
    backups = {"BACKUP_TO": settings.BACKUP_TO, "BACKUP_KEY": settings.BACKUP_KEY}
    environment = environment_of(tmp_path, address) | backups
    name = manage(environment, "backup").partition(":")[0]
    assert f"{name} is good: restored aside" in manage(environment, "restore", "--verify")
    with pytest.raises(RuntimeError, match="--replace replaces it"):
        manage(environment, "restore", "latest")
    call_command("flush", database=using, verbosity=0, interactive=False, inhibit_post_migrate=True)
    path = place.path / f"{name}{manifest.ARCHIVE}"
    assert "is as it was at" in manage(environment, "restore", str(path))
    assert facts_of(using) == before
    assert f"{name}  " in run("backup", "--list")
    assert "0 backups went." in run("backup", "--prune")


def test_a_broken_site_comes_back_from_a_damaged_place_and_what_is_lost_is_listed(
    site: Path, tmp_path: Path, place: Folder, settings: Settings, three_kinds: ThreeKinds
) -> None:
    address = three_kinds.with_site("sqlite", site)
    shutil.copytree(site / "uploads", tmp_path / "uploads")
    backups = {"BACKUP_TO": settings.BACKUP_TO, "BACKUP_KEY": settings.BACKUP_KEY}
    environment = environment_of(tmp_path, address) | backups
    manage(environment, "backup")
    with opened(address) as using:
        before = facts_of(using)
    shutil.rmtree(tmp_path / "uploads")
    damaged = min((place.path / FOLDER).rglob("*.age"))
    damaged.write_bytes(b"rubbish")
    Path(address.removeprefix("sqlite:///")).write_bytes(b"rubbish" * 1000)
    with pytest.raises(RuntimeError, match=r"cannot be read, so it cannot be kept as a backup, .*--replace --no-backup"):
        manage(environment, "restore", "latest", "--replace", "--yes")
    with pytest.raises(RuntimeError, match="The rows are restored; 1 files of chats could not be brought back") as told:
        manage(environment, "restore", "latest", "--replace", "--no-backup", "--yes")
    assert "Traceback" not in str(told.value)
    assert "the broken file was moved aside, and is " in str(told.value)
    assert damaged.name.removesuffix(SEALED) in str(told.value).partition("could not be brought back")[2]
    with opened(address) as using:
        assert facts_of(using) == before


@pytest.fixture
def jobs() -> Iterator[JobsInMemory]:
    with jobs_in_memory() as memory:
        yield memory


@pytest.fixture
def night(place: Folder, monkeypatch: pytest.MonkeyPatch, settings: Settings, jobs: JobsInMemory) -> JobsInMemory:
    """What the jobs start has the settings of this test, and a database that is not there."""
    environment = environment_of(place.path.parent, f"sqlite:///{place.path / 'nowhere' / 'hopps.sqlite3'}")
    for name, value in (environment | {"BACKUP_TO": settings.BACKUP_TO, "BACKUP_KEY": settings.BACKUP_KEY}).items():
        monkeypatch.setenv(name, value)
    return jobs


@pytest.mark.parametrize(
    ("job", "subject"),
    [(tasks.back_up_nightly, "There is no backup of tonight"), (tasks.verify_weekly, "The newest backup is not good")],
)
def test_operators_are_mailed_when_the_night_fails(job: object, subject: str, night: JobsInMemory) -> None:
    job.call_local()  # type: ignore[attr-defined]
    night.do_what_is_due()
    assert [message.subject for message in mail.outbox] == [f"{django_settings.EMAIL_SUBJECT_PREFIX}{subject}"]
    assert "failed:" in str(mail.outbox[0].body)
    assert "AGE-SECRET-KEY" not in str(mail.outbox[0].body)


def test_without_a_place_the_night_is_quiet_and_the_log_is_not(
    jobs: JobsInMemory, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BACKUP_TO = ""
    tasks.back_up_nightly.call_local()
    jobs.do_what_is_due()
    assert mail.outbox == []
    assert "BACKUP_TO is not set: there is no backup" in caplog.text


def test_of_one_night_there_is_one_backup(
    place: Folder, settings: Settings, site: Path, three_kinds: ThreeKinds, open_database: Open
) -> None:
    key, using = settings.BACKUP_KEY, open_database(three_kinds.with_site("sqlite", site))
    for night in range(3):
        now = NOW + timedelta(days=20 * night)
        assert nightly.tonights_backup(place, using=using, key=key, now=now) is not None
        assert nightly.tonights_backup(place, using=using, key=key, now=now + timedelta(hours=1)) is None
    assert len(manifest.names_in(place)) == 3
    # One that is no good, or another site's, is not tonight's.
    (place.path / f"{manifest.names_in(place)[-1]}{manifest.ARCHIVE}").unlink()
    assert nightly.tonights_backup(place, using=using, key=key, now=NOW + timedelta(days=40, hours=2)) is not None


def test_a_place_without_a_key_stops_the_start(tmp_path: Path) -> None:
    environment = environment_of(tmp_path, f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with pytest.raises(RuntimeError, match=r"BACKUP_KEY is no key: `manage\.py backup --new-key` makes one"):
        manage(environment | {"BACKUP_TO": str(tmp_path), "BACKUP_KEY": "secret"}, "check")


def test_who_has_a_wrong_key_gets_a_new_one_as_is_advised(tmp_path: Path) -> None:
    environment = environment_of(tmp_path, f"sqlite:///{tmp_path / 'x.sqlite3'}")
    printed = manage(environment | {"BACKUP_TO": str(tmp_path), "BACKUP_KEY": "rubbish"}, "backup", "--new-key")
    assert problem_with(printed.splitlines()[0].removeprefix("BACKUP_KEY=")) is None
