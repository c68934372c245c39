"""Whatever goes wrong with a new release, the old one serves on, without a gap."""

from pathlib import Path

import pytest

from tests.deploy.host import Host


@pytest.mark.parametrize(("of", "fault"), [("one", "backup"), ("two", "migrate")])
def test_what_fails_before_the_new_release_starts_stops_there(serving: Host, of: str, fault: str) -> None:
    serving.docker.faults = {of: {fault}}

    done = serving.deploy("two")

    assert done.returncode == 1
    assert f"{fault} of {of} failed" in done.stdout
    assert "before it changed what serves: release one serves (web-blue)" in done.stdout
    assert serving.running() == {"web-blue": "one", "worker": "one"}
    assert not any("web-green" in call for call in serving.calls())
    assert serving.docker.outages == []


def test_without_a_backup_nothing_is_migrated(serving: Host) -> None:
    serving.docker.faults = {"one": {"backup"}}

    serving.deploy("two")

    assert ("migrate", "two") not in serving.docker.done


def test_a_failed_migration_says_what_may_have_been_applied_and_what_to_do(serving: Host) -> None:
    serving.docker.faults = {"two": {"migrate"}}

    said = serving.deploy("two").stdout

    assert "Some migrations may have been applied. Release one works with them" in said
    assert "deploy again" in said
    assert "changed anything" not in said


def test_a_failed_backup_says_nothing_of_migrations(serving: Host) -> None:
    serving.docker.faults = {"one": {"backup"}}

    assert "migrations" not in serving.deploy("two").stdout


def test_a_release_that_is_nowhere_stops_before_the_backup(serving: Host) -> None:
    done = serving.deploy("never-built")

    assert done.returncode == 1
    assert "never-built" in done.stdout
    assert ("backup", "one") not in serving.docker.done


def test_an_image_that_does_not_build_changes_nothing(tmp_path: Path) -> None:
    host = Host(tmp_path, image="hopps")
    host.deploy("one")
    host.docker.faults = {"two": {"build"}}

    done = host.deploy("two")

    assert done.returncode == 1
    assert host.serves() == "one"
    host.close()


@pytest.mark.parametrize("fault", ["static files", "ready", "later", "worker"])
def test_an_unwell_release_goes_back_by_itself(serving: Host, fault: str) -> None:
    serving.docker.faults = {"two": {fault}}

    done = serving.deploy("two")

    assert done.returncode == 1
    assert "It went back: release one serves (web-blue)." in done.stdout
    assert serving.serves() == "one"
    assert serving.running() == {"web-blue": "one", "worker": "one"}


@pytest.mark.parametrize("fault", ["static files", "ready", "worker"])
def test_nobody_notices_a_release_that_never_served_well(serving: Host, fault: str) -> None:
    serving.docker.faults = {"two": {fault}}

    serving.deploy("two")

    assert serving.docker.outages == []


def test_a_caddyfile_with_a_mistake_stops_before_the_backup(serving: Host) -> None:
    serving.docker.faults = {"caddy": {"reload"}}

    done = serving.deploy("two")

    assert done.returncode == 1
    assert "Caddy does not take it" in done.stdout
    assert serving.docker.done == []
    assert serving.serves() == "one"


def test_whoever_looks_for_the_cause_has_the_end_of_the_log(serving: Host) -> None:
    serving.docker.faults = {"two": {"ready"}}

    assert "(the end of the log of web-green)" in serving.deploy("two").stdout


def test_the_release_after_a_bad_one_comes_as_any_other(serving: Host) -> None:
    serving.docker.faults = {"two": {"later"}}
    serving.deploy("two")
    serving.docker.outages.clear()

    done = serving.deploy("three")

    assert done.returncode == 0, done.stdout
    assert serving.running() == {"web-green": "three", "worker": "three"}
    assert serving.docker.outages == []


@pytest.mark.parametrize("fault", ["ready", "later", "worker"])
def test_a_bad_first_release_leaves_the_host_as_it_was(host: Host, fault: str) -> None:
    host.docker.faults = {"one": {fault}}

    done = host.deploy("one")

    assert done.returncode == 1
    assert "nothing serves yet" in done.stdout
    # A worker would charge and text while nobody is served.
    assert host.running() == {}
    # And the next one is a first release again.
    assert host.deploy("two").returncode == 0
    assert host.serves() == "two"


def test_a_broken_backup_can_be_gone_without_when_a_person_says_so(serving: Host) -> None:
    serving.docker.faults = {"one": {"backup"}}

    done = serving.deploy("two", "--without-backup")

    assert done.returncode == 0, done.stdout
    assert serving.serves() == "two"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["../two"], "is no release"),
        (["two", "--rollback"], "four different things"),
        (["--rollback"], "no earlier release"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(serving: Host, arguments: list[str], said: str) -> None:
    done = serving.deploy(*arguments)

    assert done.returncode == 2
    assert said in done.stdout


def test_a_database_that_does_not_start_again_is_a_matter_for_a_person(serving: Host) -> None:
    serving.docker.faults = {"mongodb": {"start"}}

    done = serving.deploy("--services")

    assert done.returncode == 3
    assert "it does not start" in done.stdout
    # It was backed up first.
    assert serving.docker.done == [("backup", "one")]


def test_without_settings_nothing_is_begun(host: Host) -> None:
    (host.home / ".env").unlink()

    done = host.deploy("one")

    assert done.returncode == 2
    assert "Copy .env.example" in done.stdout
    assert host.calls() == []
