"""What is wrong in a record: pure functions, each with one promise to look after. Nothing of Hopps is used here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.soak.judge_bills import bill_findings, money_findings, open_findings
from benchmarks.soak.judge_boards import board_findings, stale_findings
from benchmarks.soak.judge_rooms import chat_findings, notes_findings, state_findings
from benchmarks.soak.record import Record


@dataclass(frozen=True)
class Verdict:
    """One promise, how often it was looked at, and where it was not kept."""

    promise: str
    looked_at: int
    findings: tuple[str, ...]


def judge(record: Record) -> list[Verdict]:
    """Return a verdict on each promise."""
    return [_verdict(promise, look, record) for promise, look in PROMISES.items()]


def mishap_findings(record: Record) -> Iterator[str | None]:
    """No server error, no lost socket, nothing in the logs."""
    for status, times in record.answers.items():
        yield from (None for _ in range(times))
        if status >= 500:
            yield f"{times} answers had status {status}"
    yield from record.mishaps


Look = Callable[[Record], Iterator[str | None]]
"""Yields None for each thing that was as it should be, and a sentence for each that was not."""

PROMISES: dict[str, Look] = {
    "each board hears of a request once, and once that it is gone": board_findings,
    "no board shows at the end what is not open": stale_findings,
    "chat lines arrive once and in order, on both sides": chat_findings,
    "shared notes are the same on both sides, each edit once": notes_findings,
    "both sides see accepted, active, ended": state_findings,
    "the bill is the time both were there, at the price": bill_findings,
    "what is charged is captured and booked, and sums to zero": money_findings,
    "nothing is left open": open_findings,
    "no server error, no lost socket, no traceback": mishap_findings,
}


def _verdict(promise: str, look: Look, record: Record) -> Verdict:
    seen = list(look(record))
    return Verdict(promise, len(seen), tuple(finding for finding in seen if finding is not None))
