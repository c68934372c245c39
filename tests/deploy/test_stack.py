"""What the stack promises, as the real Docker Compose reads it; and that script/deploy speaks its language."""

import re
from pathlib import Path

import pytest

from script.lib.deploy.home import Home
from script.lib.deploy.stack import SERVICES
from tests.deploy.host import Host
from tests.deploy.stack import ROOT, Compose, in_the_image, settings_in

OURS = ("web-blue", "web-green", "worker", "manage")
RELEASES = {"RELEASE_WEB_BLUE": "one", "RELEASE_WEB_GREEN": "two", "RELEASE_WORKER": "two"}


def test_a_release_is_an_image_and_each_slot_has_its_own(compose: Compose) -> None:
    services = compose.config(HOPPS_IMAGE="registry.test/hopps", **RELEASES)["services"]

    assert {name: services[name]["image"] for name in OURS} == {
        "web-blue": "registry.test/hopps:one",
        "web-green": "registry.test/hopps:two",
        "worker": "registry.test/hopps:two",
        # Commands by hand are of the release that runs; script/deploy names another.
        "manage": "registry.test/hopps:two",
    }
    assert compose.config(RELEASE_MANAGE="three")["services"]["manage"]["image"] == "hopps:three"


def test_nothing_can_be_reached_from_outside_but_caddy_and_the_relay(compose: Compose) -> None:
    services = compose.config()["services"]

    assert {name for name, service in services.items() if "ports" in service} == {"caddy"}
    assert {name for name, service in services.items() if service.get("network_mode")} == {"coturn"}


def test_what_hopps_believes_the_visitors_address_from_is_caddy_alone(compose: Compose) -> None:
    services = compose.config()["services"]
    caddy = services["caddy"]["networks"]["default"]["ipv4_address"]

    assert {services[name]["environment"]["TRUSTED_PROXIES"] for name in OURS} == {caddy}


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_nothing_to_gain(compose: Compose, name: str) -> None:
    service = compose.config()["services"][name]

    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp:mode=1777,size=256m"]  # noqa: S108  not ours
    assert service["cap_drop"] == ["ALL"]
    assert not {"cap_add", "privileged", "user", "devices", "pid", "network_mode"} & set(service)
    assert service["security_opt"] == ["no-new-privileges:true"]
    # What can be written to is named here; none of it holds a program of ours.
    writable = {volume["target"] for volume in service["volumes"] if not volume.get("read_only")}
    assert writable == {"/var/lib/hopps"} | ({"/srv/static"} if name == "manage" else set())
    assert service["environment"]["MONGODB_ROOT_PASSWORD"] == ""


def test_every_container_has_bounds(compose: Compose) -> None:
    for name, service in compose.config()["services"].items():
        assert int(service["mem_limit"]) <= 2 * 2**30, name
        assert service["logging"]["options"]["max-size"], name
        assert service["restart"] == ("no" if name == "manage" else "unless-stopped"), name


def test_every_image_is_pinned_to_the_patch(compose: Compose) -> None:
    images = {name: service["image"] for name, service in compose.config()["services"].items() if name not in OURS}
    bases = re.findall(r"^FROM (\S+:\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert bases
    for image in (*images.values(), *bases):
        assert re.search(r":\d+\.\d+\.\d+", image), image


def test_plain_up_starts_what_releases_stand_on_and_no_release(compose: Compose) -> None:
    services = compose.config()["services"]

    assert {name for name, service in services.items() if not service.get("profiles")} == set(SERVICES)


def test_docker_compose_takes_every_command_of_script_deploy(host: Host, compose: Compose) -> None:
    (compose.folder / "deploys").mkdir()
    (compose.folder / "deploys/releases.env").touch()
    for arguments in (["one"], ["two"], ["--rollback"], ["--services"]):
        assert host.deploy(*arguments).returncode == 0
    host.docker.faults = {"three": {"ready"}}
    assert host.deploy("three").returncode == 1

    asked = set()
    for words in host.docker.calls:
        if words[0] != "compose":
            continue
        flags = next(
            number for number, word in enumerate(words) if number > 5 and not word.startswith("-") and not word.isdigit()
        )
        asked.add(tuple(words[1:flags]))

    assert {words[4] for words in asked} == {"up", "run", "exec", "stop", "ps", "logs"}
    assert {words: compose.takes(*words) for words in asked} == dict.fromkeys(asked, "")


@pytest.mark.parametrize(
    "written",
    [
        "registry.test/hopps",
        "registry.test/hopps # ours",
        '"registry.test/hopps" # ours',
        "'registry.test/hopps'# ours",
        "registry.test/hopps#no-comment",
        '"registry.test/hopps #no-comment"',
    ],
)
def test_script_deploy_takes_the_images_name_as_docker_compose_does(host: Host, compose: Compose, written: str) -> None:
    compose.write_env(settings_in(compose.folder / ".env") | {"HOPPS_IMAGE": written})
    (host.home / ".env").write_text(f"HOPPS_IMAGE={written}\n")

    host.deploy("one")

    image = compose.config(RELEASE_MANAGE="one")["services"]["manage"]["image"]
    assert f"image inspect --format {{{{.Id}}}} {image}" in host.calls()


def test_the_image_runs_as_nobody_in_particular() -> None:
    last_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)", last_stage, re.MULTILINE)

    # A number, so that Kubernetes sees that it is not root's; and what runs comes after it.
    assert users == ["10001"]
    assert last_stage.index("USER 10001") < last_stage.index("\nCMD ")
    assert not re.search(r"^(COPY|ADD) .*--chown", last_stage, re.MULTILINE), "its own code is not for it to write to"


def test_the_image_installs_what_was_locked_and_nothing_else() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    installed = re.findall(r"pip install (.*)$", dockerfile, re.MULTILINE)
    assert len(installed) == 1
    assert {"--require-hashes", "--only-binary", "requirements.lock"} <= set(installed[0].split())
    assert re.findall(r"\bnpm (ci|i|install)\b", dockerfile) == ["ci"]


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[1] == "*", "nothing, but for what is named"
    assert set(in_the_image()) == {
        *("manage.py", "requirements.lock", "package.json", "package-lock.json"),
        *("hopps", "accounts", "billing", "sessions_app", "static", "templates"),
    }


def test_files_that_containers_read_are_there(compose: Compose) -> None:
    for name, service in compose.config()["services"].items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                place = Path(volume["source"]).relative_to(compose.folder)
                # script/deploy makes the other one.
                assert (ROOT / place).is_dir() or place.parts[0] == "deploys", f"{name}: {place}"


def test_nothing_is_mounted_into_what_is_read_only(compose: Compose) -> None:
    for name, service in compose.config()["services"].items():
        volumes = service.get("volumes", [])
        for outer in (volume["target"] for volume in volumes if volume.get("read_only")):
            # Docker would have to make the place for it there, and cannot.
            assert [volume["target"] for volume in volumes if volume["target"].startswith(f"{outer}/")] == [], name


def test_caddy_looks_for_the_slot_that_serves_where_script_deploy_writes_it(compose: Compose) -> None:
    seen = {volume["source"]: volume["target"] for volume in compose.config()["services"]["caddy"]["volumes"]}
    caddyfile = (ROOT / "docker/caddy/Caddyfile").read_text()
    upstream = Home(compose.folder / "deploys").upstream

    assert f"{{$LIVE:{seen[str(upstream.parent)]}}}/{upstream.name}}}" in caddyfile
    assert f"{{$STATIC:{Path(seen['static']).parent}}}" in caddyfile
