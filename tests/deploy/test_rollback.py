"""Back to an earlier release, and the list of them."""

import pytest

from tests.deploy.host import Host


@pytest.fixture
def on_three(host: Host) -> Host:
    """A host that had releases one and two and now serves three."""
    host.had("one", "two", "three")
    return host


def test_without_a_name_it_is_the_release_before(on_three: Host) -> None:
    done = on_three.deploy("--rollback")

    assert done.returncode == 0, done.stdout
    assert on_three.running() == {"web-green": "two", "worker": "two"}
    assert on_three.docker.outages == []


def test_any_earlier_release_can_be_named(on_three: Host) -> None:
    assert on_three.deploy("--rollback", "one").returncode == 0
    assert on_three.serves() == "one"


def test_going_back_touches_no_row(on_three: Host) -> None:
    on_three.deploy("--rollback")

    assert on_three.docker.done == [("static files", "two")]


def test_going_back_to_an_unwell_release_comes_back(on_three: Host) -> None:
    on_three.docker.faults = {"two": {"later"}}

    done = on_three.deploy("--rollback")

    assert done.returncode == 1
    assert on_three.serves() == "three"


def test_going_back_twice_ends_where_it_began_and_the_first_time_says_so(on_three: Host) -> None:
    first = on_three.deploy("--rollback").stdout
    second = on_three.deploy("--rollback").stdout

    assert on_three.serves() == "three"
    assert "It came from release three: script/deploy --rollback, run again, returns there." in first
    assert "Further back: script/deploy --rollback RELEASE" in first
    assert "It came from release two:" in second


def test_a_deploy_that_is_no_rollback_says_nothing_of_returning(on_three: Host) -> None:
    assert "returns there" not in on_three.deploy("one").stdout


def test_an_image_that_was_removed_is_fetched_again(on_three: Host) -> None:
    on_three.docker.images.discard("registry.test/hopps:one")

    assert on_three.deploy("--rollback", "one").returncode == 0
    assert on_three.serves() == "one"


def test_a_line_of_the_list_that_broke_off_takes_no_other_with_it(on_three: Host) -> None:
    with (on_three.home / "deploys/records.jsonl").open("a") as records:
        records.write('{"release": "tw')
    on_three.deploy("two")
    on_three.deploy("one")

    on_three.deploy("--rollback")

    assert on_three.serves() == "two"


def test_the_list_says_what_serves_and_what_came_how(on_three: Host) -> None:
    on_three.deploy("--rollback", "one")

    lines = on_three.deploy("--list").stdout.splitlines()

    assert [line.split()[-5:-3] for line in lines][-1] == ["one", "rollback,"]
    assert [line.startswith("*") for line in lines] == [True, False, False, True]
