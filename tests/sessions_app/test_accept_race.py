"""Exactly one expert gets a request, whoever presses at the same time."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROCESSES, ROUNDS = 20, 30


def test_of_twenty_processes_accepting_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    environment = {**os.environ, "HOPPS_ENV": "development", "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True, timeout=120)
    race = subprocess.run(
        [sys.executable, "-m", "tests.sessions_app.accept_race", str(PROCESSES), str(ROUNDS)],
        env=environment,
        check=True,
        timeout=240,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = json.loads(race.stdout.splitlines()[-1])
    assert len(told) == ROUNDS
    for answers in told:
        assert len(answers) == PROCESSES
        assert answers.count("won") == 1
        losers = [answer for answer in answers if answer != "won"]
        assert all(answer.startswith("Another expert took this one") for answer in losers), losers
