"""What a deploy did and how long each step took, on the screen and in a log that outlives it."""

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from script.lib.deploy.errors import Failed, sentence

# The founders' deploys took so long: 2 min 21 s.
TARGET_SECONDS = 141.0


class Steps:
    """Times the steps of one deploy."""

    def __init__(self, log: Path) -> None:
        """Begin. What is said goes to the screen and to the end of `log`."""
        self._log = log
        self._began = time.monotonic()
        self._took: list[tuple[str, float]] = []

    def say(self, text: str) -> None:
        """Say it. A screen that went away (a lost ssh connection) ends no deploy."""
        with contextlib.suppress(OSError):
            print(text, flush=True)
        with contextlib.suppress(OSError), self._log.open("a") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside, whether it succeeds or not.

        Raises Failed, too, where the operating system refused something: a full disk is a failed step as any other.
        """
        began = time.monotonic()
        worked = False
        try:
            yield
            worked = True
        except OSError as problem:
            raise Failed(sentence(problem)) from problem
        finally:
            seconds = time.monotonic() - began
            self._took.append((name, seconds))
            self.say(f"{'ok    ' if worked else 'FAILED'} {seconds:6.1f} s  {name}")

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def say_total(self) -> None:
        """Say how long it took in all, and what was aimed at."""
        seconds = self.seconds
        verdict = "within" if seconds <= TARGET_SECONDS else "OVER"
        self.say(f"In all {minutes(seconds)}, {verdict} the target of {minutes(TARGET_SECONDS)}.")
        if seconds > TARGET_SECONDS:
            name, longest = max(self._took, key=lambda took: took[1])
            self.say(f"The longest step: {name}, {minutes(longest)}.")


def minutes(seconds: float) -> str:
    """Return a duration as people say it: "2 min 21 s"."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{seconds:.1f} s"


def ignore_lost_screen() -> None:
    """Keep Python from failing at its end because the screen went away."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
