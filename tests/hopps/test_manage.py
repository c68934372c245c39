"""manage.py, where it cannot do what it is told."""

from pathlib import Path

import pytest

from tests.hopps.production import run

AWAY = [
    "postgresql://hopps:hunter2@127.0.0.1:1/hopps",
    "mongodb://hopps:hunter2@127.0.0.1:1/hopps?serverSelectionTimeoutMS=100&timeoutMS=100",
]


@pytest.mark.parametrize("address", AWAY)
def test_that_a_database_is_away_is_one_sentence_without_its_password(address: str, tmp_path: Path) -> None:
    away = {"HOPPS_ENV": "development", "DATABASE_URL": address, "VAR_DIR": str(tmp_path)}
    done = run(tmp_path, away, "manage.py", "export_rows", str(tmp_path / "rows"))

    assert done.returncode == 1
    assert "The database gives no answer that can be used: " in done.stderr
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_who_asks_for_it_is_shown_where_it_was_noticed(tmp_path: Path) -> None:
    away = {"HOPPS_ENV": "development", "DATABASE_URL": AWAY[0], "VAR_DIR": str(tmp_path)}
    done = run(tmp_path, away, "manage.py", "export_rows", "--traceback")

    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_what_the_program_writes_is_for_nobody_else_on_this_machine(tmp_path: Path) -> None:
    place = tmp_path / "var"
    done = run(tmp_path, {"HOPPS_ENV": "development", "VAR_DIR": str(place)}, "manage.py", "check")

    assert (done.returncode, done.stderr) == (0, "")
    assert place.stat().st_mode & 0o077 == 0
