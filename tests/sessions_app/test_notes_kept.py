"""What becomes of the shared notes: on the receipt of both, as a file, and before an operator who answers a dispute."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Topic, User
from billing.evidence import evidence_for
from billing.models import Payment
from sessions_app import end, notes
from sessions_app.models import HelpSession
from tests.people import make_active


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    session = make_active(alice, eve, topic, seconds=60)
    notes.edit(session=session, author=alice, edit_id=uuid4(), base=0, steps=["1 < 2\n"])
    notes.edit(session=session, author=eve, edit_id=uuid4(), base=1, steps=[6, "Add the index. 😀"])
    return session


def page(person: User, name: str, session: HelpSession) -> str:
    client = Client()
    client.force_login(person)
    return client.get(reverse(name, args=[session.pk])).content.decode()


def test_both_find_the_notes_on_the_receipt_and_as_a_file(session: HelpSession, alice: User, eve: User) -> None:
    end.end(session=session, by=alice)
    for person in (alice, eve):
        assert "1 &lt; 2\nAdd the index. 😀</pre>" in page(person, "session", session)
        assert page(person, "session_notes", session) == "1 < 2\nAdd the index. 😀"


def test_a_receipt_without_notes_has_no_part_for_them(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    notes.edit(session=session, author=alice, edit_id=uuid4(), base=0, steps=[" \n"])
    end.end(session=session, by=alice)
    assert "notes-title" not in page(alice, "session", session)


def test_the_file_is_kept_and_never_shown_as_a_page(session: HelpSession, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    answer = client.get(reverse("session_notes", args=[session.pk]))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="hopps-notes-')
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_operator_sees_who_wrote_and_what_was_left(session: HelpSession) -> None:
    said = [(line.who, line.what) for line in evidence_for(Payment.objects.get(reference=session.pk))]
    assert ("Alice (customer)", "Wrote in the shared notes, for the last time here; changes in all: 1.") in said
    assert ("Eve (expert)", "Wrote in the shared notes, for the last time here; changes in all: 1.") in said
    assert ("Hopps", "The shared notes as they were left: 1 < 2 Add the index. 😀") in said


def test_an_operator_reads_the_notes_and_the_times_to_the_second_on_the_sessions_page(
    session: HelpSession, olga: User
) -> None:
    shown = page(olga, "admin:sessions_app_helpsession_change", session)
    assert "1 &lt; 2" in shown
    assert "Add the index. 😀" in shown
    joined = session.attendances.order_by("joined_at")[0].joined_at
    assert f"{joined.day} {joined:%b %Y, %H:%M:%S}" in shown
