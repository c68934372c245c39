"""What the operating system refuses (a full disk, a missing program) fails as any step does: a sentence, no traceback."""

import shutil
from pathlib import Path

import pytest

from tests.deploy.docker_stand_in import Meeting
from tests.deploy.host import Host

# As it is written, before it takes its place.
RELEASES = ".releases.env.new"


def refuse_to_write(path: Path) -> None:
    """Have it fail to write `path`, as a full disk does (root could write past permissions)."""
    path.unlink(missing_ok=True)
    path.mkdir()


def deploy_refused_at(serving: Host, meeting: Meeting, *files: str) -> tuple[int, str]:
    """Deploy release two; from `meeting` on none of `files` can be written. Return the exit code and what was said."""
    process = serving.begin_and_meet(meeting, "two")
    for file in files:
        refuse_to_write(serving.home / "deploys" / file)
    meeting.go_on.set()
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def once_people_are_on_the_new_release() -> Meeting:
    return Meeting("--no-recreate --wait --wait-timeout 180 caddy", time=2)


def test_a_release_that_cannot_be_written_down_goes_back(serving: Host) -> None:
    code, said = deploy_refused_at(serving, Meeting("manage.py backup"), RELEASES)
    assert code == 1, said
    assert "Is a directory" in said
    assert "It went back: release one serves (web-blue)." in said
    assert "Traceback" not in said
    assert serving.running() == {"web-blue": "one", "worker": "one"}


def test_a_full_disk_once_people_are_on_the_new_release_goes_back_or_calls_a_person(serving: Host) -> None:
    # The worker's release cannot be written down, nor who serves instead.
    code, said = deploy_refused_at(serving, once_people_are_on_the_new_release(), RELEASES, "caddy/.upstream.new")
    assert code == 3, said
    assert "Going back failed as well: Is a directory" in said
    assert "Traceback" not in said
    # Nothing that runs was stopped.
    assert serving.serves() == "two"
    assert serving.docker.outages == []


def test_a_worker_whose_release_cannot_be_written_down_goes_back(serving: Host) -> None:
    code, said = deploy_refused_at(serving, once_people_are_on_the_new_release(), RELEASES)
    assert code == 1, said
    assert "It went back: release one serves (web-blue)." in said
    assert serving.running() == {"web-blue": "one", "worker": "one"}
    assert serving.docker.outages == []


def test_a_release_that_serves_well_serves_on_where_it_cannot_be_put_on_the_list(serving: Host) -> None:
    refuse_to_write(serving.home / "deploys/records.jsonl")

    done = serving.deploy("two")

    assert done.returncode == 0, done.stdout
    assert "The new release serves; --list and a later --rollback do not know of this deploy: Is a directory" in done.stdout
    assert serving.running() == {"web-green": "two", "worker": "two"}


@pytest.mark.parametrize("missing", ["docker", "git"])
def test_without_a_program_it_needs_nothing_is_begun(serving: Host, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = serving.home.parent / "few"
    programs.mkdir()
    for name in {"bash", "env", "dirname", "git"} - {missing}:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    if missing == "docker":
        (serving.home.parent / "bin/docker").unlink()
    monkeypatch.setenv("PATH", str(programs))

    done = serving.deploy(*["two"] if missing == "docker" else [])

    assert done.returncode == 2, done.stdout
    assert f"There is no `{missing}`" in done.stdout
    assert serving.calls() == []


def test_a_folder_it_cannot_make_is_said_and_nothing_is_begun(host: Host) -> None:
    (host.home / "deploys").touch()

    done = host.deploy("one")

    assert done.returncode == 2
    assert "The deploy could not begin: " in done.stdout
    assert "Traceback" not in done.stdout
    assert host.calls() == []
