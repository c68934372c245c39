"""The stack of compose.yaml on this host: what a deploy asks of Docker, a function each."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from script.lib.deploy.errors import Failed
from script.lib.deploy.home import Home, Slot, variable

# What a deploy never makes anew while people are here; `script/deploy --services` does.
SERVICES = ("mongodb", "redis", "coturn")
# How long each may take at most, in seconds.
BUILD_SECONDS = 1800
BACKUP_SECONDS = 3600
MIGRATE_SECONDS = 900
START_SECONDS = 180
# For an image that is not here yet, on a new machine.
PULL_SECONDS = 900
ASK_SECONDS = 30
# compose.yaml's stop_grace_period is shorter.
STOP_SECONDS = 180
# A command that was told to stop is given so long.
END_SECONDS = 20
SAID_CHARACTERS = 4000


class Stack:
    """Docker and Docker Compose, on the compose.yaml in `root`."""

    def __init__(self, root: Path, home: Home, *, image: str, say: Callable[[str], None]) -> None:
        """Describe it.

        Args:
            root: the folder of compose.yaml and .env.
            home: what is to run where.
            image: the images' name, without a tag; with a registry before it they are pulled from there.
            say: where to tell of what matters.
        """
        self.root = root
        self.home = home
        self.image = image
        self.say = say

    # --- Images ---

    def prepare_image(self, release: str) -> str:
        """See to it that the image of `release` is on this host; return how ("here", "pulled" or "built")."""
        if self._succeeds(["docker", "image", "inspect", "--format", "{{.Id}}", self.tag(release)]):
            return "here"
        if "/" in self.image:
            self._run(["docker", "pull", "--quiet", self.tag(release)], seconds=BUILD_SECONDS)
            return "pulled"
        if not (self.root / "Dockerfile").exists():
            raise Failed(f"There is no image {self.tag(release)} here, and no Dockerfile to build it with.")
        self._run(
            ["docker", "build", "--build-arg", f"RELEASE={release}", "--tag", self.tag(release), "."], seconds=BUILD_SECONDS
        )
        return "built"

    def remove_image(self, release: str) -> None:
        """Free the space of a release nobody goes back to. One that is in use, or gone, is left."""
        self._succeeds(["docker", "image", "rm", self.tag(release)])

    def tag(self, release: str) -> str:
        """Return the name of the image of `release`."""
        return f"{self.image}:{release}"

    # --- What every release stands on ---

    def start_services(self) -> None:
        """Start the database, Redis and the relay where they are not running. What runs stays as it is."""
        wait = ("--wait", "--wait-timeout", str(START_SECONDS))
        self.compose("up", "--detach", "--no-recreate", *wait, *SERVICES, seconds=PULL_SECONDS + START_SECONDS)

    def renew_services(self) -> None:
        """Make those anew whose description in compose.yaml has changed, Caddy too where it runs."""
        wait = ("--wait", "--wait-timeout", str(START_SECONDS))
        proxy = ("caddy",) if self.home.live() else ()
        self.compose("up", "--detach", *wait, *SERVICES, *proxy, seconds=PULL_SECONDS + START_SECONDS)

    def manage(self, release: str, *arguments: str, seconds: float) -> str:
        """Run `manage.py` of `release` in a container of its own; return what it printed."""
        command = ("run", "--rm", "--no-deps", "-T", "manage", "python", "manage.py", *arguments)
        return self.compose(*command, seconds=seconds, releases={"manage": release})

    def keep_static_files(self, release: str) -> None:
        """Lay the static files of `release` beside those of earlier ones: a page that is open still asks for its own."""
        # A year since they were laid there: longer than a release serves, as its pages are open when it is replaced.
        keep = "cp -R staticfiles/. /srv/static/ && find /srv/static -type f -mtime +365 -delete"
        command = ("run", "--rm", "--no-deps", "-T", "manage", "sh", "-c", keep)
        self.compose(*command, seconds=START_SECONDS, releases={"manage": release})

    # --- Web ---

    def start_web(self, slot: Slot) -> None:
        """Make the slot's container of the release that is written down for it, in place of what was there."""
        command = ("up", "--detach", "--no-deps", "--force-recreate", f"web-{slot}")
        self.compose(*command, seconds=START_SECONDS + STOP_SECONDS)

    def resume_web(self, slot: Slot) -> None:
        """Start the slot's container as it was."""
        self.compose("up", "--detach", "--no-deps", "--no-recreate", f"web-{slot}", seconds=START_SECONDS)

    def is_ready(self, slot: Slot) -> bool:
        """Does the slot's process say that it can serve?"""
        ask = ("exec", "-T", f"web-{slot}", "python", "-m", "hopps.healthcheck", "/readyz")
        return self._succeeds([*self._compose(), *ask])

    def stop_web(self, slot: Slot) -> None:
        """Have the slot's process finish what it has and end: SIGTERM, and compose.yaml's stop_grace_period."""
        self.compose("stop", f"web-{slot}", seconds=STOP_SECONDS)

    # --- Worker ---

    def start_worker(self) -> None:
        """Make the worker of the release that is written down for it; the one before ends its jobs first."""
        self.compose("up", "--detach", "--no-deps", "--force-recreate", "worker", seconds=START_SECONDS + STOP_SECONDS)

    def stop_worker(self) -> None:
        """Have the worker end its jobs and stop: where nobody is served, nobody is to be charged."""
        self.compose("stop", "worker", seconds=STOP_SECONDS)

    def worker_runs(self) -> bool:
        """Is the worker running, and was it not started again since it was made?"""
        try:
            container = self.compose("ps", "--all", "--quiet", "worker", seconds=ASK_SECONDS).strip()
            state = self._run(["docker", "inspect", "--format", "{{json .}}", container], seconds=ASK_SECONDS)
        except Failed:
            return False
        found = json.loads(state)
        return bool(found["State"]["Running"]) and found["RestartCount"] == 0

    # --- Caddy ---

    def start_proxy(self) -> None:
        """Start Caddy where it is not running. What runs stays as it is."""
        wait = ("--wait", "--wait-timeout", str(START_SECONDS))
        self.compose("up", "--detach", "--no-deps", "--no-recreate", *wait, "caddy", seconds=PULL_SECONDS + START_SECONDS)

    def load_proxy(self) -> None:
        """Have Caddy read its Caddyfile. One that did not change changes nothing; one with a mistake is not taken."""
        load = ("exec", "-T", "caddy", "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
        self.compose(*load, seconds=START_SECONDS)

    def stop_proxy(self) -> None:
        """Stop Caddy: there is nothing it could send people to."""
        self.compose("stop", "caddy", seconds=STOP_SECONDS)

    def served(self) -> str | None:
        """Return the release that answers through Caddy, None where none does."""
        ask = ("exec", "-T", "caddy", "wget", "-q", "-T", "5", "-O", "-", "http://127.0.0.1:8080/healthz")
        try:
            found = json.loads(self.compose(*ask, seconds=ASK_SECONDS))
        except (Failed, ValueError):
            return None
        return str(found["release"]) if isinstance(found, dict) and found.get("ok") and found.get("release") else None

    def last_lines(self, service: str) -> str:
        """Return the end of the service's log, for whoever must find out why."""
        try:
            return self.compose(
                "logs", "--no-color", "--no-log-prefix", "--tail", "40", service, seconds=ASK_SECONDS
            ).strip()
        except Failed:
            return ""

    # --- Commands ---

    def compose(self, *arguments: str, seconds: float, releases: dict[str, str] | None = None) -> str:
        """Run Docker Compose; return what it printed. Raises Failed with what it said.

        Args:
            arguments: of Docker Compose.
            seconds: after which it has failed.
            releases: for this command alone.
        """
        return self._run([*self._compose(), *arguments], seconds=seconds, releases=releases)

    def _compose(self) -> list[str]:
        files = (".env", str(self.home.releases_file.relative_to(self.root)))
        return ["docker", "compose", *(word for file in files for word in ("--env-file", file))]

    def _succeeds(self, command: Sequence[str]) -> bool:
        try:
            self._run(command, seconds=ASK_SECONDS)
        except Failed:
            return False
        return True

    def _run(self, command: Sequence[str], *, seconds: float, releases: dict[str, str] | None = None) -> str:
        environment = os.environ | {variable(name): release for name, release in (releases or {}).items()}
        # In a session of its own: Ctrl-C is for the deploy, which knows what to do about it.
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            printed, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise Failed(f"{_short(command)}: no end after {seconds:.0f} s.") from None
        except BaseException:
            _end(process)
            raise
        if process.returncode != 0:
            raise Failed(
                f"{_short(command)}: exit status {process.returncode}.\n{(printed + said)[-SAID_CHARACTERS:].strip()}"
            )
        return printed


def wait_for(condition: Callable[[], bool], *, seconds: float, every: float) -> bool:
    """Return True once `condition` holds, False when it did not for `seconds`. Looks once in `every` seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def _end(process: "subprocess.Popen[str]") -> None:
    # `docker compose run` hands SIGTERM on to its container.
    process.terminate()
    try:
        process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _short(command: Sequence[str]) -> str:
    """Return the command as one would type it, without what is the same for all of them."""
    words = list(command)
    while "--env-file" in words:
        at = words.index("--env-file")
        del words[at : at + 2]
    return " ".join(words)
