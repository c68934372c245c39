"""`python -m hopps.worker_healthcheck`: exit code 0 when the job worker in this container gives signs of life, else 1."""

import sys
import time
from pathlib import Path

from hopps import env

# Touched by each sign of life (hopps.heartbeat), whether or not the queue is within reach: a new worker would not mend that.
FILE = "worker-alive"
DEAD_AFTER_SECONDS = 30.0


def is_alive(folder: Path) -> bool:
    """Return whether a worker that writes to `folder`, its VAR_DIR, gave a sign of life lately."""
    try:
        return time.time() - (folder / FILE).stat().st_mtime < DEAD_AFTER_SECONDS
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_alive(Path(env.text("VAR_DIR", "var"))) else 1)
