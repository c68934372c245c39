"""Real processes on one database file, at the same moment."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parents[2]
RACERS = 4
ROUNDS = 8


class Racer:
    """A process that does what it is told, one order a line."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.billing.racers"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, **order: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the racer died"
        return json.loads(line)

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("races") / "races.sqlite3"


@pytest.fixture(scope="module")
def racers(database: Path) -> Iterator[list[Racer]]:
    """Several processes on a fresh database of their own."""
    env = {
        **os.environ,
        "HOPPS_ENV": "development",
        "VAR_DIR": str(database.parent),
        "DATABASE_URL": f"sqlite:///{database}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    running = [Racer(env) for _ in range(RACERS)]
    yield running
    for racer in running:
        racer.stop()


def seed(racers: list[Racer]) -> dict[str, str]:
    racers[0].tell(do="seed")
    seeded: dict[str, str] = racers[0].answer()
    return seeded


def read(database: Path, sql: str, *args: str) -> list[Any]:
    """Look into the file itself."""
    with sqlite3.connect(database) as rows:
        found = rows.execute(sql, args).fetchall()
    rows.close()
    return [row[0] for row in found]


def hex_of(pk: str) -> str:
    return pk.replace("-", "")


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_refunding_at_once_never_gives_back_more_than_was_charged(
    racers: list[Racer], database: Path, round_number: int
) -> None:
    seeded = seed(racers)
    for racer in racers:
        racer.tell(do="refund", payment=seeded["payment"], olga=seeded["olga"], amount_minor=400)
    answers = [racer.answer() for racer in racers]
    assert answers.count(400) == 2, answers  # 1000 were charged
    assert all("$2.00" in answer for answer in answers if answer != 400), answers
    pk = hex_of(seeded["payment"])
    assert read(database, "SELECT refunded_minor FROM billing_payment WHERE id = ?", pk) == [800]
    assert read(database, "SELECT sequence FROM billing_refund WHERE payment_id = ? ORDER BY 1", pk) == [1, 2]
    assert read(database, "SELECT SUM(customer) FROM billing_posting WHERE payment_id = ?", pk) == [-200]
    given = "SELECT SUM(r.amount_minor) FROM billing_demorefund r JOIN billing_demointent i ON r.intent_id = i.id"
    holds = " JOIN billing_hold h ON REPLACE(h.gateway_ref, '-', '') = i.id WHERE h.payment_id = ?"
    assert read(database, given + holds, pk) == [800]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_asking_twice_at_once_holds_once(racers: list[Racer], database: Path, round_number: int) -> None:
    seeded = seed(racers)
    reference = str(uuid4())
    for racer in racers:
        racer.tell(do="hold", card=seeded["card"], reference=reference)
    answers = {racer.answer() for racer in racers} - {"HoldInProgress"}
    assert len(answers) == 1
    held = "SELECT COUNT(*) FROM billing_hold h JOIN billing_payment p ON h.payment_id = p.id WHERE p.reference = ?"
    assert read(database, held, hex_of(reference)) == [1]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_hearing_the_banks_answer_at_once_tells_it_once(racers: list[Racer], database: Path, round_number: int) -> None:
    seeded = seed(racers)
    racers[0].tell(do="ask the bank", alice=seeded["alice"])
    waiting = racers[0].answer()
    for racer in racers:
        racer.tell(do="finish", hold=waiting)
    assert sorted(racer.answer() for racer in racers) == [0] * (RACERS - 1) + [1]
    assert read(database, "SELECT state FROM billing_hold WHERE id = ?", hex_of(waiting)) == ["placed"]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_settling_at_once_charges_once(racers: list[Racer], database: Path, round_number: int) -> None:
    seeded = seed(racers)
    reference = str(uuid4())
    racers[0].tell(do="hold", card=seeded["card"], reference=reference)
    racers[0].answer()
    for index, racer in enumerate(racers):
        racer.tell(do="capture", reference=reference, eve=seeded["eve"], amount_minor=1000 + index)
    for racer in racers:
        racer.answer()
    charged = read(database, "SELECT charged_minor FROM billing_payment WHERE reference = ?", hex_of(reference))
    booked = "SELECT -customer FROM billing_posting s JOIN billing_payment p ON s.payment_id = p.id WHERE p.reference = ?"
    assert read(database, booked, hex_of(reference)) == charged
    assert charged[0] in range(1000, 1000 + RACERS)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_choosing_the_default_at_once_leaves_exactly_one(racers: list[Racer], database: Path, round_number: int) -> None:
    seeded = seed(racers)
    for index, racer in enumerate(racers):
        racer.tell(do="default", alice=seeded["alice"], which=index % 3)
    for racer in racers:
        racer.answer()
    defaults = "SELECT COUNT(*) FROM billing_card WHERE owner_id = ? AND is_default"
    assert read(database, defaults, hex_of(seeded["alice"])) == [1]
