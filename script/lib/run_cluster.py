"""What script/cluster runs once the packages are there: prepares, starts a cluster, rolls it when told to, stops it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType

from script.lib.cluster import ROOT, Cluster
from script.lib.processes import DidNotStart
from script.lib.serve import DEMO_LOGINS, ENDINGS, Stopped, chosen_port

# The socket, in the cluster's folder, at which `script/cluster roll` calls and waits for the answer. A connection tells what
# a signal cannot: that all was replaced, or, closed without a word, that it was not.
ROLL = "roll"
REPLACED = "Replaced."
WATCH_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    folder = Path(os.environ.get("VAR_DIR") or ROOT / "var") / "cluster"
    if arguments == ["roll"]:
        return _have_it_roll(folder)
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
        with _listen_for_calls(folder) as calls:
            print(f"Ready: {cluster.url}{DEMO_LOGINS if development else ''}\n\n{_what_runs(cluster, folder)}", flush=True)
            return _watch(cluster, calls)
    except DidNotStart as problem:
        return _complain(str(problem))
    except Stopped:
        return 0
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        (folder / ROLL).unlink(missing_ok=True)
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


def _listen_for_calls(folder: Path) -> socket.socket:
    calls = socket.socket(socket.AF_UNIX)
    calls.setblocking(False)
    (folder / ROLL).unlink(missing_ok=True)
    # By its name alone: the address of a socket is 107 bytes at most, and the folder may be anywhere.
    with contextlib.chdir(folder):
        calls.bind(ROLL)
    calls.listen()
    return calls


def _watch(cluster: Cluster, calls: socket.socket) -> int:
    """Wait until one of the processes ends by itself; roll meanwhile, once for each that calls."""
    while True:
        ended = cluster.wait_for_an_end(WATCH_SECONDS)
        if ended:
            return _complain(f"A process of Hopps ended by itself. The end of its log:\n{ended.log_tail(2000)}")
        with contextlib.suppress(BlockingIOError):
            caller, _ = calls.accept()
            with caller:
                _roll(cluster, caller)


def _roll(cluster: Cluster, caller: socket.socket) -> None:
    print("Replacing the web processes and the worker…", flush=True)
    cluster.roll()
    print(REPLACED, flush=True)
    # It may have stopped waiting.
    with contextlib.suppress(OSError):
        caller.sendall(REPLACED.encode())


def _have_it_roll(folder: Path) -> int:
    """Have the cluster that runs replace its processes, and wait for it."""
    with socket.socket(socket.AF_UNIX) as cluster:
        try:
            with contextlib.chdir(folder):
                cluster.connect(ROLL)
        except OSError:
            return _complain("No cluster is running here. Start one: script/cluster")
        try:
            said = cluster.recv(100).decode()
        except OSError:
            said = ""
    if said != REPLACED:
        return _complain("Not all were replaced: the cluster ended meanwhile, and where it ran it says why.")
    print(REPLACED, flush=True)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
