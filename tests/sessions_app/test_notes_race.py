"""Edits of the shared notes that several servers keep at the same moment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PROCESSES, WORDS = 4, 25


def test_of_four_processes_writing_at_once_no_letter_is_lost_or_doubled(tmp_path: Path) -> None:
    environment = {**os.environ, "HOPPS_ENV": "development", "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True, timeout=120)
    race = subprocess.run(
        [sys.executable, "-m", "tests.sessions_app.notes_race", str(PROCESSES), str(WORDS)],
        env=environment,
        check=True,
        timeout=240,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = json.loads(race.stdout.splitlines()[-1])
    assert told["body"] == told["made"]
    assert told["revisions"] == list(range(1, PROCESSES * WORDS + 1))
    # Words are put into the middle of words; taken out whole from the inside, all of them are there, once each.
    found, left = [], told["body"]
    while whole := re.search(r"<(\d\.\d+)>", left):
        found.append(whole[1])
        left = left.replace(whole[0], "", 1)
    assert left == ""
    assert sorted(found) == sorted(f"{number}.{word}" for number in range(PROCESSES) for word in range(WORDS))
