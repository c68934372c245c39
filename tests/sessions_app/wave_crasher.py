"""A worker killed in the middle of a wave, and started again: `python -m tests.sessions_app.wave_crasher`.

Reads a number a line: the point to die at (see tests.dying), 0 for none. Each is done in two processes forked from this one,
which itself has no connection open: the one that is killed, and the restart a minute later. The database between them, and
what arrived at the stand-ins, is all that survives. Answers with a line of JSON.
"""

import json
import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

import time_machine  # noqa: E402  Django first
from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from twilio.http.http_client import TwilioHttpClient  # noqa: E402

from accounts.models import ExpertProfile, Topic, User  # noqa: E402
from sessions_app.reach.healing import heal_reach  # noqa: E402
from tests.databases import databases, use  # noqa: E402
from tests.dying import Points, Tell, fork, problem_of  # noqa: E402
from tests.jobs import jobs_in_memory  # noqa: E402
from tests.people import give_card, give_phone, make_expert, make_person, make_request, open_all_hours  # noqa: E402

EXPERTS = 4


def number_of(n: int) -> str:
    return f"+4366012340{n:02d}"


def raise_the_curtain(tell: Tell) -> None:
    """Alice, who asks, and experts who can be texted at any time and want nothing else."""
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)
    give_card(make_person("alice@example.org", "Alice"))
    for n in range(EXPERTS):
        expert = make_expert(f"expert{n}@example.org", f"Expert {n}", topic)
        open_all_hours(expert)
        give_phone(expert, number_of(n))
    # One has a board open, which chimes; nobody seems to look at it.
    ExpertProfile.objects.filter(user=expert).update(board_seen_at=timezone.now() + timedelta(hours=1))


def first_life(tell: Tell, kill: int) -> None:
    """Alice asks, and two waves go out; the process dies at the point where it is to."""
    begin = timezone.now()
    with jobs_in_memory() as jobs, time_machine.travel(begin, tick=False) as clock:
        tell(begin=begin.timestamp())
        make_request(User.objects.get(email="alice@example.org"), Topic.objects.get())
        points = Points(tell, kill=kill or None)
        really_ask = TwilioHttpClient.request

        def ask(client: TwilioHttpClient, method: str, *rest: object, **more: object) -> object:
            return points.around(f"{method} a text", lambda: really_ask(client, method, *rest, **more))

        TwilioHttpClient.request = ask
        points.arm()
        for seconds in (0, 20):
            clock.move_to(begin + timedelta(seconds=seconds))
            jobs.do_what_is_due()


def second_life(tell: Tell, begin: float) -> None:
    """The jobs in memory are gone; the sweep runs each minute, and what it sets is done."""
    with jobs_in_memory() as jobs, time_machine.travel(begin, tick=False) as clock:
        for seconds in range(60, 190, 10):
            clock.move_to(begin + seconds)
            if seconds % 60 == 0:
                heal_reach(timezone.now())
            jobs.do_what_is_due()


def attempt(original: str, database: str, kill: int) -> dict[str, object]:
    """Do it once, on a fresh copy of the original at the address `database`, which this process's connection goes to."""
    databases.copy(original, database)
    told, killed = fork(lambda tell: first_life(tell, kill))
    problem = problem_of(told)
    if not problem:
        begin = next(line["begin"] for line in told if "begin" in line)
        after, _ = fork(lambda tell: second_life(tell, begin))
        problem = problem_of(after)
    return {"points": [line["point"] for line in told if "point" in line], "killed": killed, "problem": problem}


def main() -> None:
    """Answer until there is nothing more to do."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WAVE_SIZE = 2
    original, database = os.environ["DATABASE_URL"], databases.address(settings.VAR_DIR)
    fork(raise_the_curtain)
    use(database)
    for line in sys.stdin:
        print(json.dumps(attempt(original, database, int(line))), flush=True)
    databases.drop(database)


if __name__ == "__main__":
    main()
