"""A host for script/deploy: a folder with .env, and a stand-in for Docker on the PATH."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from script.lib.deploy.home import Home, other
from tests.deploy.docker_stand_in import SECONDS, Container, DockerServer, DockerStandIn, Meeting

ROOT = Path(__file__).resolve().parents[2]
# So little that tests need not wait, and enough for two looks.
IMPATIENT = ("--gate", "0.1", "--watch", "0.02", "--every", "0.01")
RELEASES = ("one", "two", "three")


class Host:
    """One host, and what people get from it. Its Docker is in `docker`."""

    def __init__(self, folder: Path, *, image: str = "registry.test/hopps") -> None:
        """Make it: images are pulled from a registry; with an image name without one they are built."""
        self.home = folder / "host"
        self._programs = folder / "bin"
        self.home.mkdir()
        self._programs.mkdir()
        (self.home / ".env").write_text(f"SECRET_KEY=x\nHOPPS_IMAGE={image}\n")
        shutil.copy(ROOT / "Dockerfile", self.home)
        self.docker = DockerStandIn(self.home, image=image, releases=RELEASES)
        self._server = DockerServer(self.docker)
        self._begun: list[subprocess.Popen[str]] = []
        docker = self._programs / "docker"
        docker.write_text(self._server.client)
        docker.chmod(0o755)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """End what is still under way, and let go of its port."""
        for process in self._begun:
            with process:
                process.kill()
        self._server.shutdown()
        self._server.server_close()

    def had(self, *releases: str) -> None:
        """Make it a host that had these releases, and serves the last one: what `deploy` of each leaves, in no time."""
        home = Home(self.home / "deploys")
        for release in releases:
            slot = other(home.live())
            for service in (f"web-{slot}", "worker"):
                home.set_release(service, release)
                self.docker.containers[service] = Container(release)
            if before := self.docker.containers.get(f"web-{other(slot)}"):
                before.running = False
            self.docker.images.add(f"{self.docker.image}:{release}")
            home.point_to(slot)
            home.add_record(release=release, slot=slot, seconds=1, how="deploy")
        self.docker.proxy_runs = True

    # --- What people get ---

    def serves(self) -> str | None:
        """Return the release that people get through Caddy, None where they get nothing."""
        docker = self.docker
        if not docker.proxy_runs or not docker.proxied or not docker.is_ready(docker.proxied):
            return None
        return docker.containers[docker.proxied].release

    def running(self) -> dict[str, str]:
        """Return the release of each web process and worker that runs."""
        return {name: found.release for name, found in self.docker.containers.items() if found.running}

    def calls(self) -> list[str]:
        """Return the calls of Docker so far as one would type them, without what is the same for all."""
        return [
            " ".join(words).replace("--env-file .env --env-file deploys/releases.env ", "") for words in self.docker.calls
        ]

    # --- script/deploy ---

    def deploy(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run script/deploy to its end; what it said is in stdout."""
        process = self.begin(*arguments)
        said, _ = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, said)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start script/deploy, and leave it to run."""
        process = subprocess.Popen(
            [str(ROOT / "script/deploy"), *arguments, *IMPATIENT],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._begun.append(process)
        return process

    def begin_and_meet(self, meeting: Meeting, *arguments: str) -> "subprocess.Popen[str]":
        """Start script/deploy, and return once it is in the middle of the meeting's command of Docker."""
        self.docker.meeting = meeting
        process = self.begin(*arguments)
        assert meeting.reached.wait(SECONDS), f"script/deploy never came to {meeting.command}"
        return process

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELEASE_", "HOPPS_"))}
        return kept | {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "HOPPS_HOME": str(self.home),
        }
