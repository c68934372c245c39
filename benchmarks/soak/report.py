"""The table and the line of JSON."""

import json
import statistics
from dataclasses import dataclass

from benchmarks.soak.delays import Delays
from benchmarks.soak.judge import Verdict
from benchmarks.soak.load import Size
from benchmarks.soak.memory import TIMES_ALLOWED, Memory
from benchmarks.soak.record import Closed, Opened, Record

FINDINGS_SHOWN = 5
MIB = 1024 * 1024


@dataclass(frozen=True)
class Soaked:
    """What came of a soak."""

    size: Size
    record: Record
    delays: Delays
    memories: list[Memory]
    verdicts: list[Verdict]


def report(soaked: Soaked, database: str) -> bool:
    """Print what was found on `database`; return whether every promise was kept."""
    size, record, memories, verdicts = soaked.size, soaked.record, soaked.memories, soaked.verdicts
    took = {name: seconds for name, seconds in {**_chimes(record), **soaked.delays.by_name}.items() if seconds}
    held = sum(journey.ended is not None for journey in record.journeys)
    frames = sum(len(board.news) for board in record.boards)
    print(
        f"soak: {size.boards} boards, {size.sessions} sessions at once, {size.seconds / 60:g} min, 2 web processes on"
        f" {database}; {len(record.journeys)} requests, {held} sessions held, {frames} events to boards"
    )
    print(f"\n{'milliseconds':44}{'median':>9}{'95 %':>9}{'slowest':>9}")
    for name, seconds in took.items():
        print(f"{name:44}{_ms(statistics.median(seconds)):9}{_ms(_most_of(seconds)):9}{_ms(max(seconds)):9}")
    print(f"\n{'MiB':44}{'2nd fifth':>9}{'last':>9}{'times':>9}   flat: at most {TIMES_ALLOWED:.2f} times")
    for one in memories:
        print(f"{one.name:44}{one.fifth(2) / MIB:9.1f}{one.fifth(5) / MIB:9.1f}{one.times:9.2f}   {_mark(one.is_flat)}")
    print(f"\n{'promise':64}{'looked at':>10}{'wrong':>7}")
    for verdict in verdicts:
        print(f"{verdict.promise:64}{verdict.looked_at:10}{len(verdict.findings):7}   {_mark(not verdict.findings)}")
        for finding in verdict.findings[:FINDINGS_SHOWN]:
            print(f"    {finding}")
    met = all(one.is_flat for one in memories) and not any(verdict.findings for verdict in verdicts)
    print(
        json.dumps(
            {
                "bench": "soak",
                "database": database,
                "boards": size.boards,
                "sessions": size.sessions,
                "minutes": round(size.seconds / 60, 2),
                "requests": len(record.journeys),
                "held": held,
                "board_events": frames,
                "median_ms": {name: _ms(statistics.median(seconds)) for name, seconds in took.items()},
                "most_ms": {name: _ms(_most_of(seconds)) for name, seconds in took.items()},
                "memory_times": {one.name: round(one.times, 3) for one in memories},
                "goal_memory_times": TIMES_ALLOWED,
                "wrong": {verdict.promise: len(verdict.findings) for verdict in verdicts},
                "goals_met": met,
            }
        )
    )
    return met


def _chimes(record: Record) -> dict[str, list[float]]:
    """Return how long it took boards to hear, by name, in seconds from the click."""
    opened: dict[str, list[float]] = {}
    closed: dict[str, list[float]] = {}
    for board in record.boards:
        for news in board.news:
            match news:
                case Opened():
                    opened.setdefault(news.request, []).append(news.at)
                case Closed():
                    closed.setdefault(news.request, []).append(news.at)
    asked = [(journey.asked.sent, opened[journey.session]) for journey in record.journeys if journey.session in opened]
    taken = [
        (journey.taken.sent, closed[journey.session])
        for journey in record.journeys
        if journey.taken is not None and journey.session in closed
    ]
    return {
        "ask: first board chimes": [min(heard) - sent for sent, heard in asked],
        "ask: last board chimes": [max(heard) - sent for sent, heard in asked],
        "accept: last board told": [max(heard) - sent for sent, heard in taken],
    }


def _most_of(seconds: list[float]) -> float:
    """Return what 95 of a hundred stay within."""
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def _mark(is_met: bool) -> str:
    return "ok" if is_met else "MISSED"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
