"""script/bench soak in small: a few seconds on two real web processes, a worker and Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.soak.load import Size
from benchmarks.soak.run import soak
from tests.databases import databases
from tests.live import copy_of, prepare_database

pytestmark = pytest.mark.whole_machine


@pytest.fixture
def database(shared_folder: Path, tmp_path: Path) -> Iterator[str]:
    """An empty database of the kind the tests run on."""
    address = copy_of(prepare_database(shared_folder / "empty", demo=False), tmp_path)
    yield address
    databases.drop(address)


def test_a_few_boards_and_sessions_on_two_processes_lose_nothing_and_bill_right(database: str, tmp_path: Path) -> None:
    soaked = soak(Size(boards=20, sessions=2, seconds=6, seed=6), tmp_path, database=database, is_prepared=True)
    assert {verdict.promise: verdict.findings for verdict in soaked.verdicts if verdict.findings} == {}
    assert all(verdict.looked_at for verdict in soaked.verdicts)
    assert {board.process for board in soaked.record.boards} == {0, 1}
    assert all(memory.samples for memory in soaked.memories)
