"""A migration that the release before cannot live with is found by running that release."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("hopps", "accounts", "billing", "sessions_app", "templates", "static", "script")
BREAKING = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "LAST")]
    operations = [
        migrations.AddField("helpsession", "mood", models.CharField(max_length=10, default="calm")),
    ]
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Olga", "-c", "user.email=olga@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_column_that_the_old_release_does_not_fill_is_found(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for part in PARTS:
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", checkout)
    (checkout / "node_modules").symlink_to(ROOT / "node_modules")
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all", "--", ":!node_modules")
    git(checkout, "commit", "--quiet", "-m", "The release before")
    migrations = checkout / "sessions_app/migrations"
    last = max(migrations.glob("0*.py")).stem
    (migrations / "0999_mood.py").write_text(BREAKING.replace("LAST", last))
    models = checkout / "sessions_app/models/sessions.py"
    field = '    mood = models.CharField(max_length=10, default="calm")\n'
    models.write_text(models.read_text().replace("    details = models", f"{field}    details = models", 1))
    git(checkout, "add", "--all", "--", ":!node_modules")
    git(checkout, "commit", "--quiet", "-m", "This release")

    done = subprocess.run(
        [sys.executable, "-m", "script.lib.old_release"],
        cwd=checkout,
        env=os.environ | {"DATABASE_URL": ""},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    said = done.stdout.split("FAILED  ")
    assert "ok      this release migrates it" in said[0]
    assert said[1].startswith("a session with the old release, on this one's database:")
    assert git(checkout, "worktree", "list").count("\n") == 0, "The old release's checkout is left behind."
