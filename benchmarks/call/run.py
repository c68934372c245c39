"""call: the click on "Join call" of who comes second, the time until both see the other; ours and a bare WebRTC call."""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from benchmarks.call.pages import Bare, Ours
from benchmarks.ours import ROOT
from script.lib.processes import HOST, ServerProcess, free_port
from tests.browser.tools import AUTOPLAY, CHROMIUM_FLAGS, chromium_path
from tests.live import LiveServer, prepare_database

# The goal: the median of ours may be so much above the median of the bare call.
ABOVE_BARE_MS = 300
PATIENCE_MS = 60_000


@contextmanager
def scene(folder: Path) -> Iterator[tuple[Bare, Ours]]:
    """Start both servers and one browser, and yield the two calls in it."""
    with ExitStack() as stack:
        port = free_port()
        bare = ServerProcess(
            [sys.executable, "-m", "benchmarks.call.bare"],
            url=f"http://{HOST}:{port}/",
            log=folder / "bare.log",
            environment={"HOST": HOST, "PORT": str(port)},
            folder=ROOT,
        )
        stack.callback(bare.stop)
        bare.start()
        server = LiveServer(folder / "ours", database=prepare_database(folder, demo=True))
        stack.callback(server.stop)
        server.start()
        playwright = stack.enter_context(sync_playwright())
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*CHROMIUM_FLAGS, AUTOPLAY])
        stack.callback(browser.close)
        yield Bare.open(browser, f"http://{HOST}:{port}"), Ours.open(browser, server)


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Make calls in turns, after one of each to warm up; return the milliseconds each took."""
    found: dict[str, list[float]] = {"bare": [], "ours": []}
    with scene(folder) as (bare, ours):
        for number in range(rounds + 1):
            took = {"bare": bare.time(number), "ours": ours.time(number)}
            if number:
                for name, milliseconds in took.items():
                    found[name].append(milliseconds)
    return found


def report(found: dict[str, list[float]]) -> bool:
    """Print the table and the line of JSON; return whether the goal is met."""
    rounds = len(found["ours"])
    print(f"call: {rounds} calls each, in turns; milliseconds from the second join to both seeing the other")
    print(f"{'':8}{'median':>9}{'fastest':>9}{'slowest':>9}")
    medians = {name: statistics.median(times) for name, times in found.items()}
    for name, times in found.items():
        print(f"{name:8}{medians[name]:9.0f}{min(times):9.0f}{max(times):9.0f}")
    above = medians["ours"] - medians["bare"]
    met = above <= ABOVE_BARE_MS
    print(
        json.dumps(
            {
                "bench": "call",
                "rounds": rounds,
                "median_ms": {name: round(median) for name, median in medians.items()},
                "above_bare_ms": round(above),
                "goal_above_bare_ms": ABOVE_BARE_MS,
                "goals_met": met,
            }
        )
    )
    return met


def main() -> int:
    """Return 0 where the goal is met, 1 where it is missed."""
    parser = argparse.ArgumentParser(prog="script/bench call", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.rounds)
    return 0 if report(found) else 1


if __name__ == "__main__":
    sys.exit(main())
