"""Edits of the shared notes that several servers keep at the same moment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.databases import databases
from tests.live import copy_of, environment_of, prepare_database

PROCESSES, WORDS = 4, 25


def test_of_four_processes_writing_at_once_no_letter_is_lost_or_doubled(shared_folder: Path, tmp_path: Path) -> None:
    database = copy_of(prepare_database(shared_folder, demo=False), tmp_path)
    race = subprocess.run(
        [sys.executable, "-m", "tests.sessions_app.notes_race", str(PROCESSES), str(WORDS)],
        env=os.environ | environment_of(tmp_path, database),
        check=True,
        timeout=240,
        stdout=subprocess.PIPE,
        text=True,
    )
    databases.drop(database)
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
