"""script/bench soak in small: a few seconds on two real web processes, a worker and Redis."""

from pathlib import Path

from benchmarks.soak.load import Size
from benchmarks.soak.run import soak


def test_a_few_boards_and_sessions_on_two_processes_lose_nothing_and_bill_right(tmp_path: Path) -> None:
    soaked = soak(Size(boards=20, sessions=2, seconds=6, seed=6), tmp_path)
    assert {verdict.promise: verdict.findings for verdict in soaked.verdicts if verdict.findings} == {}
    assert all(verdict.looked_at for verdict in soaked.verdicts)
    assert {board.process for board in soaked.record.boards} == {0, 1}
    assert all(memory.samples for memory in soaked.memories)
