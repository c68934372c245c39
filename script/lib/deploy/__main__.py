"""`script/deploy`: see there."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from script.lib.deploy.endings import listen_for_endings
from script.lib.deploy.errors import Failed, Interrupted, Refused, sentence
from script.lib.deploy.home import Home
from script.lib.deploy.journey import Deployer, NeedsAPerson, Patience, WentBack
from script.lib.deploy.stack import Stack
from script.lib.deploy.steps import Steps, ignore_lost_screen

ROOT = Path(__file__).resolve().parents[3]

DONE, OLD_SERVES, REFUSED, NEEDS_A_PERSON = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 done; 1 not done, the old release serves; 2 not begun; 3 a person is needed."""
    options = _options(arguments)
    root = Path(os.environ.get("HOPPS_HOME", ROOT)).resolve()
    steps = Steps(root / "deploys" / "deploy.log")
    try:
        return _begin(options, root, steps, called=f"script/deploy {' '.join(arguments or sys.argv[1:])}".strip())
    except Refused as problem:
        steps.say(str(problem))
        return REFUSED
    except OSError as problem:
        # Once it was begun, these are failed steps.
        steps.say(f"The deploy could not begin: {sentence(problem)}")
        return REFUSED
    finally:
        ignore_lost_screen()


def _begin(options: argparse.Namespace, root: Path, steps: Steps, *, called: str) -> int:
    """Return the exit code as `main` does. Raises Refused and OSError where it was not begun.

    Args:
        options: what was asked for.
        root: the folder of .env.
        steps: where to say how it goes.
        called: what whoever comes meanwhile is told is under way.
    """
    home = Home(root / "deploys")
    try:
        if options.list:
            _list(home)
            return DONE
        if not (root / ".env").exists():
            raise Refused(f"There is no {root / '.env'}. Copy .env.example there and fill it in (docs/runbook.md).")
        if shutil.which("docker") is None:
            raise Refused("There is no `docker` on the PATH. Install Docker (docs/runbook.md), or put it on the PATH.")
        stack = Stack(root, home, image=_setting(root, "HOPPS_IMAGE") or "hopps", say=steps.say)
        patience = Patience(gate=options.gate, watch=options.watch, every=options.every)
        deployer = Deployer(home=home, stack=stack, steps=steps, patience=patience)
        with home.lock(who=called, wait_seconds=options.wait):
            listen_for_endings()
            try:
                _run(deployer, options, root)
            except OSError as problem:
                # Between two steps. From the first that changes what serves, each is inside one (journey.py).
                raise Failed(sentence(problem)) from problem
    except (Failed, Interrupted) as problem:
        steps.say(f"{problem}\nThe deploy ended before it changed what serves: {_serving(home)}.")
        return OLD_SERVES
    except WentBack:
        steps.say(f"It went back: {_serving(home)}.")
        return OLD_SERVES
    except NeedsAPerson as problem:
        steps.say(str(problem))
        return NEEDS_A_PERSON
    return DONE


def _run(deployer: Deployer, options: argparse.Namespace, root: Path) -> None:
    if options.services:
        deployer.renew_services(backup=not options.without_backup)
        return
    if options.rollback is not None:
        came_from = deployer.roll_back(options.rollback or None)
    else:
        came_from = None
        deployer.deploy(options.release or _commit(root), backup=not options.without_backup)
    deployer.steps.say_total()
    deployer.steps.say(f"{_serving(deployer.home)[0].upper()}{_serving(deployer.home)[1:]}.")
    if came_from and came_from != deployer.home.live_release():
        deployer.steps.say(
            f"It came from release {came_from}: script/deploy --rollback, run again, returns there. "
            "Further back: script/deploy --rollback RELEASE, one that script/deploy --list names."
        )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/deploy", description="Puts a release of Hopps on this host.")
    parser.add_argument("release", nargs="?", type=_release, help="a commit; default: the one checked out here")
    parser.add_argument(
        "--rollback", nargs="?", const="", type=_release_or_none, metavar="RELEASE", help="default: the one before"
    )
    parser.add_argument("--list", action="store_true", help="what was deployed when")
    parser.add_argument("--services", action="store_true", help="bring database, Redis, relay and Caddy to compose.yaml")
    parser.add_argument("--without-backup", action="store_true", help="for when the backup is what is broken")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for another deploy to end")
    parser.add_argument(
        "--gate", type=float, default=Patience.gate, metavar="SECONDS", help="for the new release to be ready"
    )
    parser.add_argument(
        "--watch", type=float, default=Patience.watch, metavar="SECONDS", help="before the old one is drained"
    )
    parser.add_argument("--every", type=float, default=Patience.every, metavar="SECONDS", help="between two looks")
    options = parser.parse_args(arguments)
    if sum((options.release is not None, options.rollback is not None, options.list, options.services)) > 1:
        parser.error("a release, --rollback, --list and --services are four different things")
    return options


def _release(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no release: it is the tag of an image, such as a commit.")
    return text


def _release_or_none(text: str) -> str:
    return _release(text) if text else text


def _commit(root: Path) -> str:
    """Return the commit checked out in `root`. Raises Refused where there is none, or files differ from it."""
    if shutil.which("git") is None:
        raise Refused("Which release? There is no `git` here that could say: give the commit.")
    git = ["git", "-C", str(root)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=False, capture_output=True, text=True)
    if commit.returncode != 0:
        raise Refused("Which release? This is no git checkout: give the commit.")
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no"], check=False, capture_output=True, text=True
    )
    if changed.stdout.strip():
        raise Refused(
            f"Files here differ from the commit; a release is a commit. Put them into one:\n{changed.stdout.rstrip()}"
        )
    return commit.stdout.strip()


def _setting(root: Path, name: str) -> str:
    """Return a setting of this host as Docker Compose takes it: from the environment, or .env."""
    if name in os.environ:
        return os.environ[name]
    found = re.findall(rf"^{name}=(.*)$", (root / ".env").read_text(), re.MULTILINE)
    value = found[-1].strip() if found else ""
    if quoted := re.match(r"""(["'])(.*?)\1""", value):
        return quoted[2]
    return value.partition(" #")[0].rstrip()


def _list(home: Home) -> None:
    serving = home.live_release()
    for record in home.records():
        mark = "*" if record.release == serving else " "
        print(f"{mark} {record.at}  {record.release}  {record.how}, {record.seconds:.0f} s, web-{record.slot}")
    if not home.records():
        print("Nothing was deployed here yet.")


def _serving(home: Home) -> str:
    release, slot = home.live_release(), home.live()
    return f"release {release} serves (web-{slot})" if release else "nothing serves yet"


if __name__ == "__main__":
    sys.exit(main())
