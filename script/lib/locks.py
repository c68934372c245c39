"""Whether each list of packages and its lock agree: `python -m script.lib.locks`, which script/test runs."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = (
    "requirements.txt",
    "requirements-dev.txt",
    *(
        f"tests/peers/{name}.txt"
        for name in ("localstripe", "mongodb", "moto", "oidc-provider-mock", "postgresql", "stripe-spec")
    ),
)
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")
_HASH = "--hash=sha256:"


def pins(text: str) -> dict[str, str]:
    """Return what a list or a lock pins: {name as package indexes write it: version}."""
    found = (_PIN.match(line) for line in text.splitlines())
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}


def problems(root: Path) -> list[str]:
    """Return what is wrong with the locks of the checkout at `root`, as sentences."""
    found: list[str] = []
    for name in LISTS:
        path = root / name
        lock = path.with_suffix(".lock")
        if not lock.exists():
            found.append(f"{lock.name} is missing.")
            continue
        locked = pins(lock.read_text())
        found += [
            f"{name} wants {package} {version}, and {lock.name} has {locked.get(package, 'none')}."
            for package, version in pins(path.read_text()).items()
            if locked.get(package) != version
        ]
        found += [
            f"{lock.name} has no checksum of {entry.split()[0]}."
            for entry in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text().strip())
            if _HASH not in entry
        ]
    found += _apart(root)
    return found


def _apart(root: Path) -> list[str]:
    """Return where what runs Hopps would be tested in another version than it runs in."""
    small, large = (root / f"requirements{which}.lock" for which in ("", "-dev"))
    if not (small.exists() and large.exists()):
        return []
    tested = pins(large.read_text())
    return [
        f"requirements.lock has {package} {version}, and requirements-dev.lock {tested.get(package, 'none')}."
        for package, version in pins(small.read_text()).items()
        if tested.get(package) != version
    ]


def main() -> int:
    """Return the exit code of the command."""
    found = problems(ROOT)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        print("Run script/lock, and commit what it wrote.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
