"""What the tests of script/deploy have on the PATH as `docker`: it plays the daemon of one host, and writes down each call.

It knows just the commands that script/deploy gives; test_stack.py asks the real Docker Compose whether it would take them.
"""

import json
import re
import socketserver
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 30.0
# `docker` itself: hands its words to the stand-in and does as told. Bash alone, because a deploy calls it twenty times.
CLIENT = """#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "${{RELEASE_MANAGE:-}}" "$#" "$@" >&3
IFS= read -r code <&3
IFS= read -r -d '' said <&3
printf '%s' "$said"
exit "$code"
"""


@dataclass
class Container:
    """One container of the stack."""

    release: str
    running: bool = True


@dataclass
class Meeting:
    """Where a test meets a deploy: in the middle of a command that hangs until the test lets it go on."""

    command: str
    time: int = 1  # the first such command, the second …
    lost: bool = False  # the command is never done
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class DockerStandIn:
    """The daemon. Its attributes are the host as it is; tests read them, and set faults before a deploy."""

    def __init__(self, home: Path, *, image: str, releases: Sequence[str]) -> None:
        """Begin with nothing on the host.

        Args:
            home: the folder of compose.yaml.
            image: the images' name.
            releases: that are in the registry.
        """
        self.home = home
        self.image = image
        self.registry = {f"{image}:{release}" for release in releases}
        self.images: set[str] = set()
        self.containers: dict[str, Container] = {}
        self.services: list[str] = []  # database, Redis and relay, as they were started
        self.proxy_runs = False
        # By release: build, backup, migrate, "static files", ready, later (once it serves), worker.
        # By service: reload (caddy), start.
        self.faults: dict[str, set[str]] = {}
        self.meeting: Meeting | None = None

        self.calls: list[list[str]] = []
        self.done: list[tuple[str, str]] = []  # what a command did, and of which release it was
        self.outages: list[str] = []
        self._served = False
        self._lock = threading.Lock()

    @property
    def proxied(self) -> str | None:
        """The container that Caddy sends people to: it looks into the file for each request."""
        upstream = self.home / "deploys/caddy/upstream"
        return upstream.read_text().strip().removesuffix(":8000") if upstream.exists() else None

    # --- Playing ---

    def play(self, words: list[str], *, manage_release: str) -> tuple[int, str]:
        """Return the exit code and the output of one command."""
        with self._lock:
            self.calls.append(words)
            self._look_for_outage()
            meeting = self._meeting_at(" ".join(words))
        if meeting is not None:
            meeting.reached.set()
            meeting.go_on.wait(SECONDS)
            if meeting.lost:
                return 1, ""
        with self._lock:
            code, said = self._play(words, manage_release)
            self._look_for_outage()
        return code, said

    def _meeting_at(self, command: str) -> Meeting | None:
        meeting = self.meeting
        if meeting is None or meeting.command not in command:
            return None
        meeting.time -= 1
        if meeting.time:
            return None
        self.meeting = None
        return meeting

    def is_ready(self, service: str) -> bool:
        """Would the container's process say that it can serve?"""
        container = self.containers.get(service)
        if container is None or not container.running:
            return False
        faults = self.faults.get(container.release, set())
        return "ready" not in faults and not ("later" in faults and self.proxied == service)

    def _look_for_outage(self) -> None:
        """Write it down where people get nothing, though they did before."""
        if self.proxy_runs and self.proxied and self.is_ready(self.proxied):
            self._served = True
        elif self._served:
            self.outages.append(f"{self.proxied} at {' '.join(self.calls[-1])}")

    def _play(self, words: list[str], manage_release: str) -> tuple[int, str]:
        match words:
            case ["image", "inspect", *_, tag]:
                return (0 if tag in self.images else 1), ""
            case ["image", "rm", tag]:
                self.images.discard(tag)
                return 0, ""
            case ["pull", *_, tag]:
                return self._get_image(tag, known=tag in self.registry)
            case ["build", *_, "--tag", tag, "."]:
                return self._get_image(tag, known="build" not in self.faults.get(tag.partition(":")[2], set()))
            case ["inspect", "--format", "{{json .}}", "worker"]:
                worker = self.containers["worker"]
                restarts = 3 if "worker" in self.faults.get(worker.release, set()) else 0
                return 0, json.dumps({"State": {"Running": worker.running}, "RestartCount": restarts})
            case ["compose", "--env-file", ".env", "--env-file", "deploys/releases.env", command, *rest]:
                return self._compose(command, rest, manage_release)
        return 125, f"docker: what is {words}?"

    def _get_image(self, tag: str, *, known: bool) -> tuple[int, str]:
        if known:
            self.images.add(tag)
        return (0, "") if known else (1, f"no {tag}")

    def _compose(self, command: str, rest: list[str], manage_release: str) -> tuple[int, str]:
        services = [word for word in rest if not word.startswith("-") and not word.isdigit()]
        match command:
            case "up" if any("start" in self.faults.get(service, set()) for service in services):
                return 1, "it does not start"
            case "up":
                answers = [self._up(service, anew="--force-recreate" in rest) for service in services]
                return next((answer for answer in answers if answer[0]), (0, ""))
            case "stop":
                self.proxy_runs = self.proxy_runs and "caddy" not in services
                for service in self.containers.keys() & set(services):
                    self.containers[service].running = False
                return 0, ""
            case "run":
                return self._run(rest[rest.index("manage") + 1 :], manage_release)
            case "exec":
                return self._exec(rest[1:])
            case "ps":
                return 0, "".join(self.containers.keys() & set(services))
            case "logs":
                return 0, f"(the end of the log of {services[-1]})"
        return 125, f"docker compose: what is {command}?"

    def _up(self, service: str, *, anew: bool) -> tuple[int, str]:
        if service == "caddy":
            self.proxy_runs = True
        elif not service.startswith("web-") and service != "worker":
            self.services.append(service)
        elif anew or service not in self.containers:
            release = self._release_of(service)
            if f"{self.image}:{release}" not in self.images:
                return 1, f"no image for {service}"
            self.containers[service] = Container(release)
        else:
            self.containers[service].running = True
        return 0, ""

    def _run(self, command: list[str], release: str) -> tuple[int, str]:
        if f"{self.image}:{release}" not in self.images:
            return 125, f"no image of {release!r}"
        what = command[2] if command[:2] == ["python", "manage.py"] else "static files"
        if what in self.faults.get(release, set()):
            return 1, f"{what} of {release} failed"
        self.done.append((what, release))
        return 0, ""

    def _exec(self, words: list[str]) -> tuple[int, str]:
        match words:
            case [service, "python", "-m", "hopps.healthcheck", "/readyz"]:
                return (0 if self.is_ready(service) else 1), ""
            case ["caddy", "caddy", "reload", *_]:
                if not self.proxy_runs or "reload" in self.faults.get("caddy", set()):
                    return 1, "Caddy does not take it"
                return 0, ""
            case ["caddy", "wget", *_]:
                container = self.containers.get(self.proxied or "")
                if not self.proxy_runs or container is None or not container.running:
                    return 8, ""
                return 0, json.dumps({"ok": True, "release": container.release})
        return 126, f"no such program: {words}"

    def _release_of(self, service: str) -> str:
        name = f"RELEASE_{service.upper().replace('-', '_')}"
        found = re.search(rf"^{name}=(.+)$", (self.home / "deploys/releases.env").read_text(), re.MULTILINE)
        return found[1] if found else "none"


class DockerServer(socketserver.ThreadingTCPServer):
    """Where `docker` finds the stand-in, on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, docker: DockerStandIn) -> None:
        """Listen; `serve_forever` answers."""
        super().__init__(("127.0.0.1", 0), _Call)
        self.docker = docker

    @property
    def client(self) -> str:
        """The text of the program `docker`."""
        return CLIENT.format(port=self.server_address[1])


class _Call(socketserver.StreamRequestHandler):
    server: DockerServer

    def handle(self) -> None:
        manage_release, count = self._word(), self._word()
        words = [self._word() for _ in range(int(count))]
        code, said = self.server.docker.play(words, manage_release=manage_release)
        self.wfile.write(f"{code}\n{said}".encode())

    def _word(self) -> str:
        word = bytearray()
        while byte := self.rfile.read(1):
            if byte == b"\0":
                break
            word += byte
        return word.decode()
