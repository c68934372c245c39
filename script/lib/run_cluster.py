"""What script/cluster runs once the packages are there: prepares, starts a cluster, rolls it when told to, stops it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from script.lib.cluster import ROOT, Cluster
from script.lib.processes import DidNotStart
from script.lib.serve import DEMO_LOGINS, ENDINGS, Stopped, chosen_port

ROLL = signal.SIGUSR1
WATCH_SECONDS = 0.5


class Rolled(Exception):
    """`script/cluster roll` was called."""


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    folder = Path(os.environ.get("VAR_DIR") or ROOT / "var") / "cluster"
    if arguments == ["roll"]:
        return _tell_to_roll(folder / "pid")
    webs = _number(arguments)
    port = chosen_port()
    for number in ENDINGS:
        signal.signal(number, _stop)
    development = os.environ.get("HOPPS_ENV") == "development"
    prepare = [sys.executable, "manage.py", "prepare", *(["--demo"] if development else [])]
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder, environment={}, webs=webs, port=port)
    try:
        if subprocess.run(prepare, check=False).returncode != 0:
            return _complain("Hopps could not be prepared; the reason is above.")
        cluster.start()
        (folder / "pid").write_text(str(os.getpid()))
        signal.signal(ROLL, _roll)
        print(f"Ready: {cluster.url}{DEMO_LOGINS if development else ''}\n\n{_what_runs(cluster, folder)}", flush=True)
        return _watch(cluster)
    except DidNotStart as problem:
        return _complain(str(problem))
    except Stopped:
        return 0
    finally:
        for number in (*ENDINGS, ROLL):
            signal.signal(number, signal.SIG_IGN)
        (folder / "pid").unlink(missing_ok=True)
        cluster.stop()


def _number(arguments: list[str]) -> int:
    text = arguments[0] if arguments else "2"
    if len(arguments) > 1 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 20:
        sys.exit("Say how many web processes, from 1 to 20, such as: script/cluster 3   (or: script/cluster roll)")
    return int(text)


def _what_runs(cluster: Cluster, folder: Path) -> str:
    lines = [f"Web process {number}: {web.address}" for number, web in enumerate(cluster.webs, start=1)]
    return "\n".join(
        [*lines, f"Redis: {cluster.redis.url}", f"Logs: {folder}", "Replace them one by one: script/cluster roll"]
    )


def _watch(cluster: Cluster) -> int:
    """Wait until one of the processes ends by itself; roll meanwhile when told."""
    while True:
        try:
            ended = cluster.wait_for_an_end(WATCH_SECONDS)
        except Rolled:
            signal.signal(ROLL, signal.SIG_IGN)
            print("Replacing the web processes and the worker…", flush=True)
            cluster.roll()
            print("Replaced.", flush=True)
            signal.signal(ROLL, _roll)
            continue
        if ended:
            return _complain(f"A process of Hopps ended by itself. The end of its log:\n{ended.log_tail(2000)}")


def _tell_to_roll(known: Path) -> int:
    try:
        os.kill(int(known.read_text()), ROLL)
    except (OSError, ValueError):
        return _complain("No cluster is running here. Start one: script/cluster")
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _roll(number: int, frame: FrameType | None) -> None:
    raise Rolled


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
