"""What benches of Hopps itself share: a folder of its own, and programs of ours run on it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment_in(folder: Path) -> dict[str, str]:
    """Return what keeps a Hopps process to `folder`: its database, its jobs, all it writes."""
    return {
        "HOPPS_ENV": "development",
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "hopps.settings",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "LOG_LEVEL": "WARNING",
        "LIMITS_TIMES": "1000",
    }


def python(environment: dict[str, str], *arguments: str) -> str:
    """Run Python with `arguments` and return what it printed. Raises CalledProcessError when it fails."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
