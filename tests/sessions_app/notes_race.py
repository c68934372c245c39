"""Four processes write in the same notes at once. Run by test_notes_race.py in a database of its own.

Prints one line of JSON: the text at the end, what the log of edits makes, and the numbers of the edits.
"""

import json
import multiprocessing
import os
import sys
from multiprocessing.synchronize import Barrier
from uuid import UUID, uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django must be set up first

from accounts.models import Topic, User  # noqa: E402
from sessions_app import notes, notes_change  # noqa: E402
from sessions_app.models import HelpSession, NotesEdit  # noqa: E402
from tests.databases import close_all  # noqa: E402
from tests.people import make_active, make_expert, make_person  # noqa: E402


def writer(number: int, person_id: UUID, session_id: UUID, words: int, together: Barrier) -> None:
    """Write `words` words into the middle of the text as this process has read it last."""
    person, session = User.objects.get(pk=person_id), HelpSession.objects.get(pk=session_id)
    together.wait(timeout=60)
    for word in range(words):
        told = notes.state_of(session, since=None, text=True)
        length = len(told.body or "")
        place = length // 2
        steps = [step for step in (place, f"<{number}.{word}>", length - place) if step]
        notes.edit(session=session, author=person, edit_id=uuid4(), base=told.revision, steps=steps)


def main(processes: int, words: int) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in here
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)
    alice, eve = make_person("alice@example.org", "Alice"), make_expert("eve@example.org", "Eve", topic)
    session = make_active(alice, eve, topic, seconds=60)
    close_all()

    context = multiprocessing.get_context("fork")
    together = context.Barrier(processes)
    workers = [
        context.Process(target=writer, args=(number, (alice, eve)[number % 2].pk, session.pk, words, together), daemon=True)
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0] * processes

    made, revisions = "", []
    for edit in NotesEdit.objects.filter(session=session):
        made = notes_change.apply(made, edit.change)
        revisions.append(edit.revision)
    print(json.dumps({"body": notes.body_of(session), "made": made, "revisions": revisions}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
