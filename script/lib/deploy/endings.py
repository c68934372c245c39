"""Being told to stop, by SIGINT, SIGTERM or SIGHUP."""

import signal
from types import FrameType

from script.lib.deploy.errors import Interrupted

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen_for_endings() -> None:
    """Have Interrupted raised when told to stop: a deploy goes back first. Told so again, nothing more happens."""

    def stop(number: int, frame: FrameType | None) -> None:
        ignore_endings()
        raise Interrupted(f"Told to stop ({signal.Signals(number).name}).")

    for ending in ENDINGS:
        signal.signal(ending, stop)


def ignore_endings() -> None:
    """Go on whoever says to stop: half gone back is worse than either release."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
