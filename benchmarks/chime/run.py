"""chime: one request opened, 1 000 experts' boards open on one server process, the time until the last of them heard."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.chime.client import Boards
from benchmarks.chime.payload import chime
from benchmarks.ours import ROOT, environment_in, python
from hopps.realtime.messages import encode
from script.lib.processes import HOST, ServerProcess, free_port

NODE_PEER = ROOT / "benchmarks" / "chime" / "ws" / "server.js"
CHANNELS_APP = "benchmarks.chime.channels_app:application"

OURS = "Hopps: hub, uvicorn"
DAPHNE = "Channels group_send, daphne"
UVICORN = "Channels group_send, uvicorn"
NODE = "Node ws, plain loop"

# The goals (DESIGN §7).
TIMES_FASTER_THAN_GROUP_SEND = 8.0
TIMES_OF_NODE_WS_ALLOWED = 2.0


@dataclass
class Contender:
    """A server under measurement."""

    name: str
    boards: Boards
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.seconds) * 1000


@contextmanager
def contenders(sockets: int, folder: Path) -> Iterator[list[Contender]]:
    """Start every server, yield them, and stop them."""
    environment = environment_in(folder)
    python(environment, "manage.py", "migrate", "--verbosity=0")
    people = json.loads(python(environment, "-m", "benchmarks.chime.people", str(sockets)))
    program = sys.executable
    with ExitStack() as stack:

        def start(name: str, command: list[str], port: int, cookies: list[str | None], **more: str) -> Contender:
            server = ServerProcess(
                command,
                url=f"http://{HOST}:{port}/publish?mark=start",
                log=folder / f"{port}.log",
                environment={**environment, **more},
                folder=ROOT,
            )
            stack.callback(server.stop)
            server.start()
            return Contender(name, Boards(port, cookies, greets=name == OURS))

        nobody: list[str | None] = [None] * sockets
        port = free_port()
        run = "from hopps.server import run; run('benchmarks.chime.hopps_app:application')"
        ours = start(OURS, [program, "-c", run], port, people["cookies"], PORT=str(port), BENCH_AUDIENCE=people["audience"])
        port = free_port()
        daphne = start(DAPHNE, [program, "-m", "daphne", "-v", "0", "-b", HOST, "-p", str(port), CHANNELS_APP], port, nobody)
        port = free_port()
        options = ["--ws", "websockets-sansio", "--loop", "uvloop", "--log-level", "warning"]
        command = [program, "-m", "uvicorn", *options, "--host", HOST, "--port", str(port), CHANNELS_APP]
        uvicorn = start(UVICORN, command, port, nobody)
        port = free_port()
        payload = encode(chime("MARK"))
        node = start(NODE, ["node", str(NODE_PEER), str(port)], port, nobody, BENCH_PAYLOAD=payload)
        yield [ours, daphne, uvicorn, node]


async def measure(field_of: list[Contender], rounds: int) -> None:
    """Open every server's sockets; then, round by round, measure one server after the other."""
    for contender in field_of:
        await contender.boards.connect()
        await contender.boards.measure("warm-up")
    for number in range(rounds):
        # Each round starts with another server, so that none always comes after the same neighbour.
        for contender in field_of[number % len(field_of) :] + field_of[: number % len(field_of)]:
            contender.seconds.append(await contender.boards.measure(f"round-{number}-"))
    for contender in field_of:
        contender.boards.close()


def report(field_of: list[Contender], sockets: int, rounds: int) -> bool:
    """Print the table and the line of JSON; return whether the goals are met."""
    by_name = {contender.name: contender for contender in field_of}
    ours = by_name[OURS].median
    size = len(encode(chime("round-0-")))
    print(f"chime to {sockets} boards of one process, {size} bytes, {rounds} rounds; milliseconds to the last board")
    print(f"{'':32}{'median':>9}{'fastest':>9}{'slowest':>9}{'× ours':>9}")
    for contender in field_of:
        low, high = min(contender.seconds) * 1000, max(contender.seconds) * 1000
        print(f"{contender.name:32}{contender.median:9.1f}{low:9.1f}{high:9.1f}{contender.median / ours:9.2f}")
    faster, of_node = by_name[DAPHNE].median / ours, ours / by_name[NODE].median
    met = faster >= TIMES_FASTER_THAN_GROUP_SEND and of_node <= TIMES_OF_NODE_WS_ALLOWED
    print(
        json.dumps(
            {
                "bench": "chime",
                "sockets": sockets,
                "rounds": rounds,
                "median_ms": {contender.name: round(contender.median, 1) for contender in field_of},
                "times_faster_than_group_send": round(faster, 1),
                "goal_times_faster": TIMES_FASTER_THAN_GROUP_SEND,
                "times_of_node_ws": round(of_node, 2),
                "goal_times_of_node_ws": TIMES_OF_NODE_WS_ALLOWED,
                "goals_met": met,
            }
        )
    )
    return met


def main() -> int:
    """Return 0 where the goals are met, 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="script/bench chime", description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contenders(options.sockets, Path(folder)) as field_of:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(field_of, options.rounds))
        return 0 if report(field_of, options.sockets, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
