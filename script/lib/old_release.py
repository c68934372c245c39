"""Runs the release before on a database that is migrated to this one: `python -m script.lib.old_release [BASE]`.

So it is while a new release starts: its migrations have run, and the old one serves until the new one takes over. Without
BASE the release before is the first there is of: the last tag; the newest commit shared with origin/master; the commit
before the newest migration was added. The database is DATABASE_URL, which must be empty; SQLite without one.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JOURNEY = "script/lib/journey.py"
MIGRATIONS = ":(glob)*/migrations/*.py"
# A release that has it runs on every database; those before it on SQLite.
ALL_DATABASES = "hopps/databases.py"


class Failed(Exception):
    """A step failed; the message says which, and what was said."""


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of the command."""
    try:
        base = _git("rev-parse", "--verify", f"{arguments[0]}^{{commit}}") if arguments else release_before()
    except Failed as problem:
        print(problem)
        return 1
    if base is None:
        print("There is no history here to find the release before in: only the rules were checked.")
        return 0
    new = _git("diff", "--name-only", "--diff-filter=A", base, "--", MIGRATIONS).split()
    print(f"The release before: {_git('log', '-1', '--format=%h %s', base)}")
    print(f"New migrations: {', '.join(new) or 'none'}")
    if os.environ.get("DATABASE_URL") and not _has(base, ALL_DATABASES):
        print("The release before does not run on this database: there is nothing to keep working.")
        return 0
    with tempfile.TemporaryDirectory(prefix="hopps-old-release-") as folder:
        try:
            check(base, Path(folder))
        except Failed as problem:
            print(problem)
            return 1
        finally:
            with suppress(Failed):
                _git("worktree", "remove", "--force", str(Path(folder) / "old"))
    print("Both releases work on the migrated database.")
    return 0


def release_before() -> str | None:
    """Return the commit of the release before this one; None where there is no history."""
    try:
        here = _git("rev-parse", "HEAD")
    except Failed:
        return None
    with suppress(Failed):
        tag = _git("describe", "--tags", "--abbrev=0", "HEAD")
        if (commit := _git("rev-parse", f"{tag}^{{commit}}")) != here:
            return commit
    with suppress(Failed):
        if (shared := _git("merge-base", "origin/master", "HEAD")) != here:
            return shared
    with suppress(Failed):
        added = _git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS)
        return _git("rev-parse", "--verify", f"{added}^")
    return None


def check(base: str, folder: Path) -> None:
    """Migrate with the old release, then with this one, and go through a session with both. Raises Failed at the first step
    that does not work.

    Args:
        base: the old release's commit.
        folder: an empty one; the old release is checked out there.
    """
    old = folder / "old"
    _git("worktree", "add", "--detach", str(old), base)
    environment = {
        "HOPPS_ENV": "development",
        "VAR_DIR": str(folder),
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'hopps.sqlite3'}",
        "REDIS_URL": "",
        "FIT_WINDOW_SECONDS": "0",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    }

    def step(words: str, release: Path, *command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=release,
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise Failed(f"FAILED  {words}:\n{done.stdout}{done.stderr}")
        print(f"ok      {words}", flush=True)

    journey = str((old if (old / JOURNEY).exists() else ROOT) / JOURNEY)
    step("the old release makes its database", old, "manage.py", "migrate", "--verbosity=0")
    step("and its demo data", old, "manage.py", "demo", "--verbosity=0")
    step("a session with the old release, on its own database", old, journey)
    step("this release migrates it", ROOT, "manage.py", "migrate", "--verbosity=0")
    step("a session with the old release, on this one's database", old, journey)
    step("a session with this release, which reads what the old one wrote", ROOT, str(ROOT / JOURNEY))
    step("a session with the old release, which reads what this one wrote", old, journey)


def _has(commit: str, path: str) -> bool:
    with suppress(Failed):
        _git("cat-file", "-e", f"{commit}:{path}")
        return True
    return False


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
