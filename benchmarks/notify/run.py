"""notify: a request made, 1 000 experts who take texts and no board open, the time until the sender has the first text."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.notify.customer import Customer
from benchmarks.notify.texts import Texts
from benchmarks.ours import ROOT, environment_in, python
from script.lib.processes import HOST, ServerProcess, free_port

# The goals: the slowest first text, and what texting may cost the web request.
FIRST_TEXT_SECONDS = 2.0
TIMES_OF_NOBODY_ALLOWED = 1.5

# Before each request: what the one before it left to do is done, and the job worker is idle again.
QUIET_SECONDS = 1.0


@dataclass
class Measured:
    """What was measured, in seconds."""

    answer: list[float] = field(default_factory=list)
    """From sending the request to its answer, where experts are texted."""
    answer_nobody: list[float] = field(default_factory=list)
    """The same, where there is nobody to text."""
    first_text: list[float] = field(default_factory=list)
    """From sending the request to its first text at the sender."""
    last_text: list[float] = field(default_factory=list)
    """And to the last of the first wave."""


@dataclass(frozen=True)
class Scene:
    """A server, its people and its sender."""

    port: int
    texts: Texts
    topics: dict[str, str]
    customers: Iterator[Customer]
    wave: int


@contextmanager
def scene(experts: int, customers: int, folder: Path) -> Iterator[Scene]:
    """Start the server and the sender, yield them, and stop them."""
    environment = environment_in(folder)
    python(environment, "manage.py", "migrate", "--verbosity=0")
    people = json.loads(python(environment, "-m", "benchmarks.notify.people", str(experts), str(customers)))
    with ExitStack() as stack:
        texts = Texts()
        stack.callback(texts.stop)
        port = free_port()
        server = ServerProcess(
            [sys.executable, "-m", "hopps.server"],
            url=f"http://{HOST}:{port}/healthz",
            log=folder / "server.log",
            environment={**environment, **texts.environment, "HOST": HOST, "PORT": str(port)},
            folder=ROOT,
        )
        stack.callback(server.stop)
        server.start()
        yield Scene(port, texts, people["topics"], (Customer(port, **one) for one in people["customers"]), people["wave"])


def measure(on: Scene, rounds: int) -> Measured:
    """Ask in turns where experts are texted and where there is nobody, after one round to warm up."""
    found = Measured()
    for number in range(rounds + 1):
        into = found if number else Measured()
        turns = [ask_where_experts_are, ask_where_nobody_is]
        # Neither always comes after the other.
        for turn in turns if number % 2 else reversed(turns):
            time.sleep(QUIET_SECONDS)
            turn(on, into)
    return found


def ask_where_experts_are(on: Scene, into: Measured) -> None:
    """Ask, wait for the first wave's texts, and call the request off: its later waves would be in the others' way."""
    customer = next(on.customers)
    session, sent, answered = customer.ask(on.topics["reached"])
    came = on.texts.about(session, on.wave)
    into.answer.append(answered - sent)
    into.first_text.append(came[0] - sent)
    into.last_text.append(came[-1] - sent)
    customer.cancel(session)


def ask_where_nobody_is(on: Scene, into: Measured) -> None:
    """Ask where no expert can be told."""
    customer = next(on.customers)
    session, sent, answered = customer.ask(on.topics["nobody"])
    into.answer_nobody.append(answered - sent)
    customer.cancel(session)


def report(found: Measured, experts: int, wave: int) -> bool:
    """Print the table and the line of JSON; return whether the goals are met."""
    rows = {
        f"answered, {experts} experts to text": found.answer,
        "answered, nobody to text": found.answer_nobody,
        "first text at the sender": found.first_text,
        f"text {wave} of the first wave": found.last_text,
    }
    rounds = len(found.answer)
    print(f"notify: {experts} experts, {rounds} requests each with and without them; milliseconds from asking")
    print(f"{'':36}{'median':>9}{'fastest':>9}{'slowest':>9}")
    for name, seconds in rows.items():
        print(f"{name:36}{_ms(statistics.median(seconds)):9}{_ms(min(seconds)):9}{_ms(max(seconds)):9}")
    slowest = max(found.first_text)
    times = statistics.median(found.answer) / statistics.median(found.answer_nobody)
    met = slowest < FIRST_TEXT_SECONDS and times <= TIMES_OF_NOBODY_ALLOWED
    print(
        json.dumps(
            {
                "bench": "notify",
                "experts": experts,
                "rounds": rounds,
                "median_ms": {name: _ms(statistics.median(seconds)) for name, seconds in rows.items()},
                "slowest_first_text_ms": _ms(slowest),
                "goal_first_text_ms": _ms(FIRST_TEXT_SECONDS),
                "times_of_nobody": round(times, 2),
                "goal_times_of_nobody": TIMES_OF_NOBODY_ALLOWED,
                "goals_met": met,
            }
        )
    )
    return met


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def main() -> int:
    """Return 0 where the goals are met, 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="script/bench notify", description=__doc__)
    parser.add_argument("--experts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, scene(options.experts, 2 * options.rounds + 2, Path(folder)) as on:
        found = measure(on, options.rounds)
    return 0 if report(found, options.experts, on.wave) else 1


if __name__ == "__main__":
    sys.exit(main())
