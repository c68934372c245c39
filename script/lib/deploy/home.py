"""What a host knows of its deploys: which slot serves, what runs where, what was deployed when. Files in `deploys/`."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from script.lib.deploy.errors import Refused

Slot = Literal["blue", "green"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
# How often a deploy that waits for another looks again, in seconds.
LOOK_AGAIN = 0.2


def other(slot: Slot | None) -> Slot:
    """Return the slot that is not `slot`; the first where none serves yet."""
    return "green" if slot == "blue" else "blue"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One deploy that served."""

    release: str
    at: str  # UTC, ISO 8601
    slot: Slot
    seconds: float
    how: Literal["deploy", "rollback"]


class Home:
    """The folder `deploys/` beside compose.yaml. Every write is whole or not at all: a deploy may be killed anywhere."""

    def __init__(self, folder: Path) -> None:
        """Describe it; what is missing is made."""
        self.folder = folder
        # A folder of its own, because it is what Caddy sees of all this.
        self.upstream = folder / "caddy" / "upstream"
        # What compose.yaml takes the images' tags from (a second --env-file).
        self.releases_file = folder / "releases.env"
        self.records_file = folder / "records.jsonl"
        self.upstream.parent.mkdir(parents=True, exist_ok=True)
        if not self.releases_file.exists():
            self._write(self.releases_file, "")

    # --- Which slot serves ---

    def live(self) -> Slot | None:
        """Return the slot that Caddy sends people to; None before the first deploy."""
        if not self.upstream.exists():
            return None
        written = self.upstream.read_text().strip()
        for slot in SLOTS:
            if written == _address(slot):
                return slot
        raise Refused(f"{self.upstream} names no slot: it says {written!r}, not {' or '.join(map(_address, SLOTS))}.")

    def point_to(self, slot: Slot) -> None:
        """Send people to `slot` from now on: Caddy looks here for each request. One rename, so nobody sees half of it."""
        self._write(self.upstream, f"{_address(slot)}\n")

    def point_nowhere(self) -> None:
        """Send people nowhere, as before the first deploy."""
        self.upstream.unlink(missing_ok=True)

    # --- What runs where ---

    def releases(self) -> dict[str, str]:
        """Return the release of each service ("web-blue", "web-green", "worker") that has one."""
        lines = self.releases_file.read_text().splitlines()
        return {_service(name): release for name, _, release in (line.partition("=") for line in lines) if release}

    def set_release(self, service: str, release: str | None) -> None:
        """Write down what `service` is to run the next time it is made; None: nothing."""
        releases = self.releases()
        releases.pop(service, None)
        if release is not None:
            releases[service] = release
        self._write(self.releases_file, "".join(f"{variable(name)}={value}\n" for name, value in sorted(releases.items())))

    def live_release(self) -> str | None:
        """Return the release that serves, None before the first deploy."""
        live = self.live()
        return self.releases().get(f"web-{live}") if live else None

    # --- What was deployed ---

    def records(self) -> list[Record]:
        """Return the deploys that served, oldest first."""
        if not self.records_file.exists():
            return []
        found = []
        for line in self.records_file.read_text().splitlines():
            try:
                found.append(Record(**json.loads(line)))
            except (ValueError, TypeError):
                continue  # the last line of a host that lost power; it says nothing we need
        return found

    def add_record(self, *, release: str, slot: Slot, seconds: float, how: Literal["deploy", "rollback"]) -> None:
        """Add one to the list. A line is one write at the end of the file."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        record = Record(release=release, at=at, slot=slot, seconds=round(seconds, 1), how=how)
        # A line that a full disk or a power cut broke off must not take this one with it.
        torn = self.records_file.exists() and self.records_file.read_text()[-1:] not in {"", "\n"}
        with self.records_file.open("a") as file:
            file.write(("\n" if torn else "") + json.dumps(asdict(record)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    # --- One at a time ---

    @contextmanager
    def lock(self, *, who: str, wait_seconds: float) -> Iterator[None]:
        """Hold the one right to deploy; the kernel lets go of it when the process ends, however it ends.

        Args:
            who: said to whoever comes meanwhile.
            wait_seconds: how long to wait for another's deploy.

        Raises Refused when another has it for longer.
        """
        with (self.folder / "lock").open("a+") as file:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        file.seek(0)
                        raise Refused(
                            f"Another deploy is under way: {file.read().strip() or 'it has just begun'}. "
                            "Wait for it, or give --wait SECONDS."
                        ) from None
                    time.sleep(LOOK_AGAIN)
            file.truncate(0)
            file.write(f"{who}, process {os.getpid()}, since {datetime.now(UTC):%H:%M:%S} UTC")
            file.flush()
            yield

    def _write(self, path: Path, text: str) -> None:
        new = path.with_name(f".{path.name}.new")
        with new.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        # The name, too, is there after a power cut.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def variable(service: str) -> str:
    """Return what compose.yaml calls the release of `service`: RELEASE_WEB_BLUE."""
    return f"RELEASE_{service.upper().replace('-', '_')}"


def _address(slot: Slot) -> str:
    return f"web-{slot}:8000"


def _service(name: str) -> str:
    return name.removeprefix("RELEASE_").lower().replace("_", "-")
