"""What script/server runs once the packages are there.

Prepares, starts the web server (and the job worker where it is a process of its own), says when the first page is really
served, and stops all of it together.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
# Ctrl-C, kill, and the terminal's window closed.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DEMO_LOGINS = """

Demo logins (password demo-hopps-1):
  customer@demo.test   asks for help
  expert@demo.test     an expert, approved and available
  expert2@demo.test    another expert
  operator@demo.test   runs the admin at /admin/
""".rstrip()


class Stopped(Exception):
    """One of ENDINGS came."""


def main() -> int:
    """Return the exit code of the command."""
    port = chosen_port()
    development = os.environ.get("HOPPS_ENV") == "development"
    for number in ENDINGS:
        signal.signal(number, _stop)
    children: list[subprocess.Popen[bytes]] = []
    try:
        prepared = _start("manage.py", "prepare", *(["--demo"] if development else []))
        children.append(prepared)
        if prepared.wait() != 0:
            return _complain("Hopps could not be prepared; the reason is above.")
        children.remove(prepared)
        # It is the only one: its pages have nowhere to go while it stops.
        web = _start("-m", "hopps.server", HOST=HOST, PORT=str(port), DRAIN_NOTICE_SECONDS="0")
        children.append(web)
        if os.environ.get("REDIS_URL"):
            # Without Redis the jobs run inside the web server's process.
            children.append(_start("manage.py", "run_huey"))
        if not _served(web, port):
            return _complain("The web server did not start; the reason is above.")
        print(f"Ready: http://{HOST}:{port}{DEMO_LOGINS if development else ''}", flush=True)
        return _watch(children)
    except Stopped:
        return 0
    finally:
        _end(children)


def chosen_port() -> int:
    """Return the PORT to listen on, 8000 where unset; end with a sentence where it cannot be had."""
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(f"PORT must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        # As the server will: a port in its last minute after a restart counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except PermissionError:
            sys.exit(f"Port {text} may only be used by root. Choose one above 1023, such as: PORT=8000 script/server")
        except OSError:
            sys.exit(f"Port {text} is in use by another program. Stop it, or choose another: PORT=8001 script/server")
    return int(text)


def _start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a Python command in a process group of its own: Ctrl-C reaches this process alone, which ends the others."""
    return subprocess.Popen([sys.executable, *arguments], env={**os.environ, **environment}, process_group=0)


def _served(web: subprocess.Popen[bytes], port: int) -> bool:
    """Return whether the landing page was served before `web` ended or START_SECONDS passed."""
    # Not through a proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while web.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(f"http://{HOST}:{port}/", timeout=10):
                return True
        except urllib.error.HTTPError as problem:
            print(f"The landing page answers {problem.code}.", file=sys.stderr)
            return False
        except OSError:
            time.sleep(0.05)
    return False


def _watch(children: list[subprocess.Popen[bytes]]) -> int:
    """Wait until one of the processes ends by itself; return its exit code."""
    pid, status = os.wait()
    for child in children:
        if child.pid == pid:
            child.returncode = os.waitstatus_to_exitcode(status)
    return _complain(f"A process of Hopps ended by itself (exit code {os.waitstatus_to_exitcode(status)}).")


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
