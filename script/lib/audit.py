"""What script/audit runs once the packages are there.

Both tools end with 1 where something is known and where nobody answered: which of the two it was is in what they print.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-dev.lock"
NONE_KNOWN, KNOWN, NOBODY_ASKED = 0, 1, 3
ANSWER_SECONDS = "15"


class NobodyAnswered(Exception):
    """A service could not be asked. The message says which and why."""


def of_python(lock: Path, *, osv: str) -> list[str]:
    """Return the weaknesses known of the packages in `lock`, one line each.

    Args:
        lock: pins with their checksums.
        osv: the address of OSV's API, or of what speaks it; empty, its own.

    Raises NobodyAnswered.
    """
    where = ["--osv-url", osv] if osv else []
    done = _run(
        [
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", *where, "--timeout", ANSWER_SECONDS),
            # What is locked, and not what happens to be installed; nothing is resolved.
            *("--require-hashes", "--disable-pip", "--requirement", str(lock)),
            *("--format", "json", "--progress-spinner", "off"),
        ],
        folder=ROOT,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NobodyAnswered(f"pip-audit got no answer: {_last_line(done.stderr)}") from None
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        raise NobodyAnswered(f"pip-audit got no answer about {', '.join(skipped) or 'anything'}.")
    return [
        f"{package['name']} {package['version']}: {weak['id']}, mended in {', '.join(weak['fix_versions']) or 'none yet'}"
        for package in packages
        for weak in package["vulns"]
    ]


def of_npm(folder: Path) -> list[str]:
    """Return the weaknesses known of what `folder`'s package-lock.json names, one line each. Raises NobodyAnswered."""
    done = _run(["npm", "audit", "--json", "--package-lock-only"], folder=folder)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise NobodyAnswered(f"npm audit got no answer: {_last_line(done.stderr)}") from None
    if "vulnerabilities" not in found:
        raise NobodyAnswered(f"npm audit got no answer: {found.get('message')}")
    return [
        f"{name}: {weak.get('title')} ({weak.get('severity')}), {weak.get('url')}"
        for name, package in found["vulnerabilities"].items()
        for weak in package["via"]
        # Otherwise the name of another package, which has a line of its own.
        if isinstance(weak, dict)
    ]


def main(*, lock: Path = LOCK, npm: Path = ROOT) -> int:
    """Return the exit code of the command: NONE_KNOWN, KNOWN or NOBODY_ASKED.

    Reads AUDIT_REQUIRED (1: that nobody answered is a failure) and AUDIT_OSV_URL (in tests) from the environment.
    """
    found: list[str] = []
    unanswered: list[str] = []
    asks: tuple[Callable[[], list[str]], ...] = (
        lambda: of_python(lock, osv=os.environ.get("AUDIT_OSV_URL", "")),
        lambda: of_npm(npm),
    )
    for ask in asks:
        try:
            found += ask()
        except NobodyAnswered as problem:
            unanswered.append(str(problem))
    for line in (*found, *unanswered):
        print(line, file=sys.stderr)
    if found:
        print("Take a release without these: change its list, and run script/lock (npm: npm update).", file=sys.stderr)
        return KNOWN
    if unanswered:
        print("Whether weaknesses are known was NOT found out.", file=sys.stderr)
        return KNOWN if os.environ.get("AUDIT_REQUIRED") == "1" else NOBODY_ASKED
    print("No weaknesses are known.")
    return NONE_KNOWN


def _run(command: list[str], *, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing."


if __name__ == "__main__":
    sys.exit(main())
