"""Twenty processes accept one request, round after round. Run by test_accept_race.py in a database of its own.

Prints one line of JSON: for each round, what every process was told.
"""

import json
import multiprocessing
import os
import sys
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django must be set up first

from accounts.models import Topic, User  # noqa: E402
from hopps.errors import Refused  # noqa: E402
from sessions_app.accept import accept  # noqa: E402
from sessions_app.cancel import cancel  # noqa: E402
from tests.databases import close_all  # noqa: E402
from tests.people import give_card, make_expert, make_person, make_request  # noqa: E402

WON = "won"


def expert_process(expert_id: UUID, requests: "Queue[UUID | None]", together: Barrier, answers: "Queue[str]") -> None:
    """Accept each request the moment everybody else does."""
    expert = User.objects.get(pk=expert_id)
    while (session_id := requests.get()) is not None:
        together.wait(timeout=60)
        try:
            accept(session_id=session_id, expert=expert)
            answers.put(WON)
        except Refused as refusal:
            answers.put(refusal.sentence)


def main(processes: int, rounds: int) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in here
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)
    alice = make_person("alice@example.org", "Alice")
    give_card(alice)
    experts = [make_expert(f"expert{n}@example.org", f"Expert {n}", topic).pk for n in range(processes)]
    close_all()

    context = multiprocessing.get_context("fork")
    together, answers = context.Barrier(processes), context.Queue()
    inboxes = [context.Queue() for _ in experts]
    workers = [
        context.Process(target=expert_process, args=(expert, inbox, together, answers), daemon=True)
        for expert, inbox in zip(experts, inboxes, strict=True)
    ]
    for worker in workers:
        worker.start()

    told = []
    for _ in range(rounds):
        session = make_request(alice, topic)
        for inbox in inboxes:
            inbox.put(session.pk)
        told.append([answers.get(timeout=60) for _ in workers])
        cancel(session_id=session.pk, customer=alice)
    for inbox in inboxes:
        inbox.put(None)
    for worker in workers:
        worker.join(timeout=10)
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
