"""A deploy that is killed, told to stop, or met by another."""

import signal
import subprocess

import pytest

from tests.deploy.docker_stand_in import Meeting
from tests.deploy.host import Host

# A deploy's calls of Docker, in their order. Docker does what it was told also when who told it is gone.
CALLS = [
    Meeting("up --detach --no-deps --no-recreate web-blue"),
    Meeting("image inspect"),
    Meeting("up --detach --no-recreate"),
    Meeting("caddy reload"),
    Meeting("manage.py backup"),
    Meeting("manage.py migrate"),
    Meeting("cp -R staticfiles"),
    Meeting("--force-recreate web-green"),
    Meeting("exec -T web-green"),
    # Just after the switch, which Caddy sees by itself.
    Meeting("--no-recreate --wait --wait-timeout 180 caddy", time=2),
    Meeting("--force-recreate worker"),
    Meeting("wget"),
    Meeting("stop web-blue"),
    # It was written down, and not done.
    Meeting("--force-recreate web-green", lost=True),
    Meeting("--force-recreate worker", lost=True),
]


@pytest.mark.parametrize("meeting", CALLS, ids=lambda meeting: f"{meeting.command}{', lost' * meeting.lost}")
def test_killed_at_any_step_people_are_served_and_the_deploy_is_run_again(serving: Host, meeting: Meeting) -> None:
    _kill(serving.begin_and_meet(meeting, "two"), meeting)
    assert serving.serves() in {"one", "two"}

    done = serving.deploy("two")

    assert done.returncode == 0, done.stdout
    assert serving.serves() == "two"
    assert set(serving.running().values()) == {"two"}
    assert serving.docker.outages == []


def test_killed_after_the_switch_an_unwell_release_gives_way_to_the_old_one(serving: Host) -> None:
    meeting = Meeting("--force-recreate worker")
    _kill(serving.begin_and_meet(meeting, "two"), meeting)
    serving.docker.faults = {"two": {"ready"}, "three": {"ready"}}

    done = serving.deploy("three")

    assert done.returncode == 1
    assert "web-green is not ready and web-blue is: back to it." in done.stdout
    assert serving.serves() == "one"


@pytest.mark.parametrize(
    ("ending", "call"),
    [(signal.SIGINT, "manage.py migrate"), (signal.SIGHUP, "exec -T web-green"), (signal.SIGTERM, "wget")],
)
def test_told_to_stop_it_goes_back(serving: Host, ending: signal.Signals, call: str) -> None:
    meeting = Meeting(call)
    process = serving.begin_and_meet(meeting, "two")
    process.send_signal(ending)
    said, _ = process.communicate(timeout=60)
    meeting.go_on.set()

    assert process.returncode == 1, said
    assert f"Told to stop ({ending.name})." in said
    assert serving.serves() == "one"
    assert serving.running() == {"web-blue": "one", "worker": "one"}
    assert serving.docker.outages == []


def test_told_to_stop_while_the_old_release_is_drained_the_new_one_serves_on(serving: Host) -> None:
    meeting = Meeting("stop web-blue")
    process = serving.begin_and_meet(meeting, "two")
    process.terminate()
    said, _ = process.communicate(timeout=60)
    meeting.go_on.set()

    assert process.returncode == 0, said
    assert serving.serves() == "two"
    assert "two" in serving.deploy("--list").stdout


def test_told_to_stop_while_old_images_are_removed_the_new_release_serves_and_it_says_so(host: Host) -> None:
    host.had("r1", "r2", "r3", "r4", "r5", "one")
    meeting = Meeting("image rm")
    process = host.begin_and_meet(meeting, "two")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    meeting.go_on.set()

    assert process.returncode == 0, said
    assert "The new release serves; images of old releases may still take up space: Told to stop (SIGINT)." in said
    assert "before it changed" not in said
    assert host.serves() == "two"


def test_told_to_stop_while_it_goes_back_it_goes_all_the_way(serving: Host) -> None:
    serving.docker.faults = {"two": {"worker"}}
    # The second time, the worker of the old release is made.
    meeting = Meeting("--force-recreate worker", time=2)
    process = serving.begin_and_meet(meeting, "two")
    process.send_signal(signal.SIGINT)
    meeting.go_on.set()
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 1, said
    assert "It went back: release one serves (web-blue)." in said
    assert serving.running() == {"web-blue": "one", "worker": "one"}


def test_a_screen_that_went_away_ends_no_deploy(serving: Host) -> None:
    meeting = Meeting("manage.py backup")
    process = serving.begin_and_meet(meeting, "two")
    assert process.stdout is not None
    process.stdout.close()
    meeting.go_on.set()

    assert process.wait(60) == 0
    assert serving.serves() == "two"
    assert "In all" in (serving.home / "deploys/deploy.log").read_text()


def test_of_two_deploys_at_once_one_is_refused(serving: Host) -> None:
    meeting = Meeting("manage.py migrate")
    process = serving.begin_and_meet(meeting, "two")

    second = serving.deploy("three")

    assert second.returncode == 2
    assert "Another deploy is under way: script/deploy two" in second.stdout
    meeting.go_on.set()
    _ended_well(process)
    assert serving.serves() == "two"


def test_of_two_deploys_at_once_one_can_wait(serving: Host) -> None:
    meeting = Meeting("manage.py migrate")
    first = serving.begin_and_meet(meeting, "two")
    second = serving.begin("three", "--wait", "60")
    meeting.go_on.set()

    _ended_well(first)
    _ended_well(second)
    assert serving.serves() == "three"
    assert serving.docker.outages == []


def _kill(process: "subprocess.Popen[str]", meeting: Meeting) -> None:
    process.kill()
    process.communicate()
    meeting.go_on.set()


def _ended_well(process: "subprocess.Popen[str]") -> None:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
