"""A process that dies on purpose: `python -m tests.billing.crasher` reads an order a line and answers it.

An order is JSON: {"journey": name, "kill": the point to die at or null, "cut": the call to lose the answer of or null,
"retries": how often Stripe's library asks again by itself}.

Each is done in two processes forked from this one, which itself has no connection open. One prepares, arms the hook, does
the journey and is killed. The other is the restart: it does what the jobs do, lets the people try again, and checks
everything. The database between them is all that survives.
"""

import gc
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

import stripe  # noqa: E402  Django first
from django.conf import settings  # noqa: E402
from huey.contrib.djhuey import HUEY  # noqa: E402
from huey.storage import BlackHoleStorage  # noqa: E402

from billing.gateways.base import GatewayUnavailable  # noqa: E402
from billing.gateways.stripe import gateway as at_stripe  # noqa: E402
from tests.billing.crash_checks import check, check_between  # noqa: E402
from tests.billing.crash_journeys import JOURNEYS  # noqa: E402
from tests.billing.crash_scene import Scene, raise_the_curtain  # noqa: E402
from tests.databases import close_all, databases, use  # noqa: E402
from tests.dying import Points, Tell, Told, fork, problem_of  # noqa: E402
from tests.peers.stripe_stand_in import StripeStandIn  # noqa: E402

REHEARSED = (
    "first hold by Checkout",
    "extension",
    "full refund over two holds",
    "dispute won",
    "payout refused, and made a week later",
)

# A name Stripe gave, in an address.
NAMES = re.compile(r"/(?:pi|cs_test|re|du|tr|acct|pm|cus|seti)_\w+")


class PointsAtStripe(Points):
    """The points of a process that asks Stripe."""

    def __init__(self, scene: Scene, tell: Tell, *, kill: int | None, cut: int | None) -> None:
        super().__init__(tell, kill=kill)
        self.scene, self.cut = scene, cut
        self.calls = 0

    def arm(self) -> None:
        """Watch the library's own HTTP client and the database's connection from here on."""
        really_ask = stripe.RequestsClient.request

        def ask(client: Any, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
            path = url.removeprefix(self.scene.peer.url).partition("?")[0]
            name = f"{method.upper()} {NAMES.sub('/…', path)}"
            if method == "post":
                self.calls += 1
                self.tell(call=name)
                if self.calls == self.cut:
                    self.scene.peer.drop("POST", re.escape(path), done=True)
            return self.around(name, lambda: really_ask(client, method, url, headers, post_data))

        stripe.RequestsClient.request = ask  # type: ignore[assignment, method-assign]
        super().arm()


class Crasher:
    """Forks the attempts."""

    def __init__(self, folder: Path) -> None:
        self.original, self.database = os.environ["DATABASE_URL"], databases.address(folder)
        self.peer = StripeStandIn(folder)
        self.peer.url = settings.STRIPE_API_BASE

    def prepare(self) -> None:
        """Make the people, and do some whole attempts in this very process: what it loads, its children need not."""
        fork(lambda tell: raise_the_curtain())
        use(self.database)
        for journey in REHEARSED:
            rehearsal = self.attempt({"journey": journey, "kill": None, "cut": None, "retries": 0}, forked=False)
            if rehearsal["problem"]:
                raise RuntimeError(rehearsal["problem"])
        close_all()
        at_stripe._client.cache_clear()
        gc.collect()
        gc.freeze()
        gc.disable()

    def attempt(self, order: Mapping[str, Any], *, forked: bool = True) -> dict[str, Any]:
        """Do a journey as ordered, restart, check; return what came of it. Not forked, nothing is watched or killed."""
        run = fork if forked else _here
        journey = JOURNEYS[order["journey"]]
        databases.copy(self.original, self.database)
        facts: dict[str, str] = {}

        def first_life(tell: Tell) -> None:
            _begin(retries=order["retries"])
            scene = Scene(self.peer, {})
            self.peer.reset()
            # Events are kept until a journey delivers them.
            self.peer.send_webhooks_to(self.peer.url, delivery="held")
            journey.prepare(scene)
            tell(facts=scene.facts)
            points = PointsAtStripe(scene, tell, kill=order["kill"], cut=order["cut"])
            if forked:
                points.arm()
            # A lost answer is told to the person, or logged where it is a job's or a socket's; the restart goes on.
            with suppress(GatewayUnavailable):
                journey.do(scene)

        def second_life(tell: Tell) -> None:
            _begin(retries=0)
            scene = Scene(self.peer, facts)
            scene.heal()
            check_between(scene)
            journey.again(scene)
            scene.heal()
            tell(repaired=check(scene, journey.end))

        told, killed = run(first_life)
        for line in told:
            facts.update(line.get("facts", {}))
        answer = {
            "points": [line["point"] for line in told if "point" in line],
            "calls": [line["call"] for line in told if "call" in line],
            "killed": killed,
            "repaired": [],
            "problem": problem_of(told),
        }
        if not answer["problem"]:
            after, _ = run(second_life)
            answer["problem"] = problem_of(after)
            answer["repaired"] = next((line["repaired"] for line in after if "repaired" in line), [])
        return answer


def _here(work: Callable[[Tell], None]) -> tuple[Told, bool]:
    told: Told = []
    try:
        work(lambda **what: told.append(what))
    except Exception:
        told.append({"problem": traceback.format_exc()})
    close_all()
    return told, False


def _begin(*, retries: int) -> None:
    """Let Stripe's library ask again so often by itself."""
    at_stripe.NETWORK_RETRIES = retries
    at_stripe._client.cache_clear()


def main() -> None:
    """Answer orders until there are no more."""
    settings.DEBUG = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # A job is a hint, and every hint is lost here: nobody does them, so they need not be written to a file.
    HUEY.storage = BlackHoleStorage()
    # The library's pause before it asks again.
    stripe.HTTPClient.INITIAL_DELAY = 0
    crasher = Crasher(Path(str(settings.VAR_DIR)))
    crasher.prepare()
    for line in sys.stdin:
        print(json.dumps(crasher.attempt(json.loads(line))), flush=True)
    databases.drop(crasher.database)


if __name__ == "__main__":
    main()
