"""Exactly one expert gets a request, whoever presses at the same time."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.databases import databases
from tests.live import copy_of, environment_of, prepare_database

PROCESSES, ROUNDS = 20, 30


def test_of_twenty_processes_accepting_at_once_one_wins_and_the_others_are_told(shared_folder: Path, tmp_path: Path) -> None:
    database = copy_of(prepare_database(shared_folder, demo=False), tmp_path)
    race = subprocess.run(
        [sys.executable, "-m", "tests.sessions_app.accept_race", str(PROCESSES), str(ROUNDS)],
        env=os.environ | environment_of(tmp_path, database),
        check=True,
        timeout=240,
        stdout=subprocess.PIPE,
        text=True,
    )
    databases.drop(database)
    told = json.loads(race.stdout.splitlines()[-1])
    assert len(told) == ROUNDS
    for answers in told:
        assert len(answers) == PROCESSES
        assert answers.count("won") == 1
        losers = [answer for answer in answers if answer != "won"]
        assert all(answer.startswith("Another expert took this one") for answer in losers), losers
