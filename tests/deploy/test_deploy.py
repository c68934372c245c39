"""A release comes onto a host: in which order, and what people get meanwhile."""

import re
from pathlib import Path

from tests.deploy.host import Host


def test_the_first_release_comes_onto_an_empty_host(host: Host) -> None:
    done = host.deploy("one")

    assert done.returncode == 0, done.stdout
    assert host.serves() == "one"
    assert host.running() == {"web-blue": "one", "worker": "one"}
    assert host.docker.services == ["mongodb", "redis", "coturn"]
    # There is nothing to back up yet.
    assert host.docker.done == [("migrate", "one"), ("static files", "one")]


def test_a_release_comes_beside_the_one_that_serves(serving: Host) -> None:
    done = serving.deploy("two")

    assert done.returncode == 0, done.stdout
    assert serving.serves() == "two"
    assert serving.running() == {"web-green": "two", "worker": "two"}
    assert serving.docker.outages == []


def test_the_backup_is_first_and_each_step_follows_the_one_before(serving: Host) -> None:
    serving.deploy("two")

    steps = [
        "pull --quiet registry.test/hopps:two",
        "manage.py backup",
        "manage.py migrate",
        "cp -R staticfiles",
        "--force-recreate web-green",
        "exec -T web-green python -m hopps.healthcheck /readyz",
        "--force-recreate worker",
        "wget",
        "stop web-blue",
    ]
    calls = serving.calls()
    # Before the image, it only looks how things stand.
    calls = calls[next(number for number, call in enumerate(calls) if call.startswith("image inspect")) :]
    at = [next(number for number, call in enumerate(calls) if step in call) for step in steps]
    assert at == sorted(at), calls


def test_the_backup_is_made_by_the_release_that_serves_and_the_migration_by_the_new_one(serving: Host) -> None:
    serving.deploy("two")

    assert serving.docker.done[-3:] == [("backup", "one"), ("migrate", "two"), ("static files", "two")]


def test_what_runs_of_database_and_redis_is_not_made_anew(serving: Host) -> None:
    serving.deploy("two")

    for call in serving.calls():
        if "mongodb" in call:
            assert "--no-recreate" in call


def test_the_third_release_takes_the_slot_of_the_first(serving: Host) -> None:
    serving.deploy("two")
    serving.deploy("three")

    assert serving.running() == {"web-blue": "three", "worker": "three"}
    assert serving.docker.outages == []


def test_a_host_without_a_registry_builds_the_image(tmp_path: Path) -> None:
    host = Host(tmp_path, image="hopps")

    done = host.deploy("one")

    assert done.returncode == 0, done.stdout
    assert "build --build-arg RELEASE=one --tag hopps:one ." in host.calls()
    assert host.serves() == "one"


def test_the_time_of_each_step_and_of_all_is_printed_with_the_target(serving: Host) -> None:
    printed = serving.deploy("two").stdout

    for step in ("backup", "migrate", "gate", "switch", "worker", "drain web-blue"):
        assert re.search(rf"^ok +\d+\.\d s  {step}$", printed, re.MULTILINE), printed
    assert re.search(r"^In all \d+\.\d s, within the target of 2 min 21 s\.$", printed, re.MULTILINE), printed
