"""Real processes on one database, at the same moment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoDbBlocker

from billing.models import Card, DemoRefund, Hold, Payment
from tests.databases import databases, opened
from tests.live import ROOT, copy_of, environment_of, prepare_database

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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("races")


@pytest.fixture(scope="module")
def database(shared_folder: Path, folder: Path) -> Iterator[str]:
    """A fresh database, by its address."""
    address = copy_of(prepare_database(shared_folder, demo=False), folder)
    yield address
    databases.drop(address)


@pytest.fixture(scope="module")
def racers(database: str, folder: Path) -> Iterator[list[Racer]]:
    """Several processes on one database."""
    env = os.environ | environment_of(folder, database) | {"SUPPORT_REFUND_LIMIT": "500"}
    running = [Racer(env) for _ in range(RACERS)]
    yield running
    for racer in running:
        racer.stop()


@pytest.fixture
def its(racers: list[Racer], database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The racers' database beside this process's own, for `using(its)`."""
    with opened(database, django_db_blocker) as alias:
        yield alias


def seed(racers: list[Racer]) -> dict[str, str]:
    racers[0].tell(do="seed")
    seeded: dict[str, str] = racers[0].answer()
    return seeded


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_refunding_at_once_never_gives_back_more_than_was_charged(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    for racer in racers:
        racer.tell(do="refund", payment=seeded["payment"], olga=seeded["olga"], amount_minor=400)
    answers = [racer.answer() for racer in racers]
    assert answers.count(400) == 2, answers  # 1000 were charged
    assert all("$2.00" in answer for answer in answers if answer != 400), answers
    payment = Payment.objects.using(its).get(pk=seeded["payment"])
    assert payment.refunded_minor == 800
    assert sorted(payment.refunds.values_list("sequence", flat=True)) == [1, 2]
    assert sum(payment.postings.values_list("customer", flat=True)) == -200
    intents = list(payment.holds.values_list("gateway_ref", flat=True))
    given = DemoRefund.objects.using(its).filter(intent__in=map(UUID, intents))
    assert sum(given.values_list("amount_minor", flat=True)) == 800


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_support_refunding_at_once_stays_within_its_limit(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    for racer in racers:
        racer.tell(do="refund", payment=seeded["payment"], olga=seeded["sam"], amount_minor=400)
    answers = [racer.answer() for racer in racers]
    assert answers.count(400) == 1, answers  # 1000 were charged; support may give back 500 of it
    assert all("You may give back $1.00" in answer for answer in answers if answer != 400), answers
    assert Payment.objects.using(its).get(pk=seeded["payment"]).refunded_minor == 400


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_asking_twice_at_once_holds_once(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    reference = str(uuid4())
    for racer in racers:
        racer.tell(do="hold", card=seeded["card"], reference=reference)
    answers = {racer.answer() for racer in racers} - {"HoldInProgress"}
    assert len(answers) == 1
    assert Hold.objects.using(its).filter(payment__reference=reference).count() == 1


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_hearing_the_banks_answer_at_once_tells_it_once(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    racers[0].tell(do="ask the bank", alice=seeded["alice"])
    waiting = racers[0].answer()
    for racer in racers:
        racer.tell(do="finish", hold=waiting)
    assert sorted(racer.answer() for racer in racers) == [0] * (RACERS - 1) + [1]
    assert Hold.objects.using(its).get(pk=waiting).state == Hold.State.PLACED


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_settling_at_once_charges_once(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    reference = str(uuid4())
    racers[0].tell(do="hold", card=seeded["card"], reference=reference)
    racers[0].answer()
    for index, racer in enumerate(racers):
        racer.tell(do="capture", reference=reference, eve=seeded["eve"], amount_minor=1000 + index)
    for racer in racers:
        racer.answer()
    payment = Payment.objects.using(its).get(reference=reference)
    assert payment.charged_minor in range(1000, 1000 + RACERS)
    assert list(payment.postings.values_list("customer", flat=True)) == [-payment.charged_minor]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_choosing_the_default_at_once_leaves_exactly_one(racers: list[Racer], its: str, round_number: int) -> None:
    seeded = seed(racers)
    for index, racer in enumerate(racers):
        racer.tell(do="default", alice=seeded["alice"], which=index % 3)
    for racer in racers:
        racer.answer()
    assert Card.objects.using(its).filter(owner=UUID(seeded["alice"]), is_default=True).count() == 1
