"""Deleting an account, with a life behind it: what must be settled first, what goes, and what stays."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import erasing, outbox, photos
from accounts.mail import send_once
from accounts.models import Block, ExpertProfile, Message, PushSubscription, Topic, User
from accounts.permissions import Team
from billing import payouts
from billing.models import Card, Hold, Payment, Payout, Posting, Refund
from billing.payout_accounts import open_account
from hopps.errors import Refused
from sessions_app import answer, attendance, cancel, cases, chat, end, files, notes, person_reports, rate
from sessions_app import erasing as of_sessions
from sessions_app.models import Attendance, ChatFile, HelpSession, PersonReport, Rating, State, TimelineEntry
from sessions_app.release import return_to_queue
from sessions_app.settle import settle_when_empty
from tests.accounts.test_photos import picture
from tests.billing.payday import date, ready_account
from tests.people import give_phone, make_accepted, make_active, make_request
from tests.sessions_app.files_world import PNG, files_in

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=5)


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Settings) -> Path:
    """Where this test's files are stored."""
    folder = tmp_path / "uploads"
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = settings.STORAGES | {"uploads": backend}
    return folder


def over(session: HelpSession, by: User) -> HelpSession:
    """End and settle a session, LONG_AGO."""
    end.end(session=session, by=by)
    for stretch in Attendance.objects.filter(session=session):
        attendance.leave(attendance_id=stretch.pk, at=timezone.now())
    settle_when_empty(session.pk)
    HelpSession.objects.filter(pk=session.pk).update(ended_at=timezone.now() - LONG_AGO)
    if (payment := Payment.objects.filter(reference=session.pk, charged_minor__gt=0).first()) is not None:
        date(payment, timezone.now() - LONG_AGO)
    return HelpSession.objects.with_people().get(pk=session.pk)


@pytest.fixture
def quagga(alice: User) -> User:
    """Alice under a name that nothing else has: wherever it stands, it is hers."""
    User.objects.filter(pk=alice.pk).update(display_name="Quagga", email="quagga@example.org")
    EmailAddress.objects.filter(user=alice).update(email="quagga@example.org")
    alice.refresh_from_db()
    return alice


def live_a_life(person: User, other: User, topic: Topic, *, as_expert: bool = False) -> HelpSession:
    """Have `person` leave words and addresses everywhere, each with “quagga” in it; return a session that was paid."""
    photos.set_photo(user=person, content=io.BytesIO(picture()))
    give_phone(person, "+436641234567")
    PushSubscription.objects.create(user=person, endpoint="https://push.example.org/quagga", device="Quagga’s phone")
    message = outbox.write(
        key=f"a:{person.pk}", to=person, way=Message.Way.MAIL, purpose=Message.Purpose.TEST, address=person.email
    )
    assert message is not None
    outbox.send(message, outbox.Words(title="Test", text="To quagga", url="", tag=""))
    send_once(key=f"b:{person.pk}", to=person, subject="For quagga", text="…")
    SocialAccount.objects.create(user=person, provider="google", uid="quagga", extra_data={"name": "quagga"})
    Authenticator.objects.create(user=person, type="totp", data={"secret": "quagga"})
    customer, expert = (other, person) if as_expert else (person, other)
    session = make_active(customer, expert, topic, seconds=600)
    chat.say(session=session, author=person, message_id=uuid4(), body="A quagga line")
    chat.say(session=session, author=other, message_id=uuid4(), body="A line of the other")
    files.attach(session=session, author=person, message_id=uuid4(), name="quagga.png", content=io.BytesIO(PNG))
    notes.edit(session=session, author=person, edit_id=uuid4(), base=0, steps=["quagga notes"])
    notes.edit(session=session, author=other, edit_id=uuid4(), base=1, steps=[12, ", and more"])
    cases.report(session=session, by=person, problem="A quagga problem")
    answer.refuse(case=cases.own_case(session, person), operator=other, answer="No.")  # type: ignore[arg-type]
    session = over(session, other)
    PersonReport.objects.create(
        session=session, by=person, about=other, reason="rude", words="quagga words", state=PersonReport.State.CLOSED
    )
    # From here on the two do not meet.
    Block.objects.create(by=person, person=other)
    rude = PersonReport.Reason.RUDE
    report = person_reports.report_person(session=session, by=other, reason=rude, words="", also_block=False)
    person_reports.close(report=report, operator=other, outcome="Talked to them.")
    be_looked_after(person, report)
    return session


def be_looked_after(person: User, report: PersonReport) -> None:
    """Have an owner of the site do what is in the log of operators then."""
    browser = client_of(User.objects.create_superuser(f"owner-{person.pk}@example.org", "no-words-1", display_name="Owner"))
    for name, groups in (("Quagga of old", []), ("Quagga", list(Group.objects.filter(name=Team.SUPPORT)))):
        form = {"email": person.email, "display_name": name, "time_zone": "UTC", "groups": [group.pk for group in groups]}
        form |= {"is_staff": "on"} if groups else {}
        assert browser.post(f"/admin/accounts/user/{person.pk}/change/", form).status_code == 302
    said = "Name: Quagga of old → Quagga. Operator: no → yes. Groups: none → Support."
    assert LogEntry.objects.filter(change_message=said).exists()
    User.objects.filter(pk=person.pk).update(is_staff=False)
    for file in ChatFile.objects.filter(message__author=person):
        assert browser.get(f"/admin/sessions_app/helpsession/{file.session_id}/files/{file.pk}/").status_code == 200
    things: list[Any] = [report, open_account(owner=person), *ExpertProfile.objects.filter(user=person)]
    for thing in things:
        LogEntry.objects.log_actions(person.pk, [thing], CHANGE, "Looked at it.")


def every_text() -> dict[str, set[str]]:
    """Return all that stands in any row of any table, by table."""
    found: dict[str, set[str]] = {}
    for model in apps.get_models():
        rows: Any = QuerySet(model).values_list()
        found[model._meta.label] = {str(row).lower() for row in rows}
    return found


def tables_with(word: str) -> set[str]:
    return {label for label, rows in every_text().items() if any(word in row for row in rows)}


def money() -> list[list[tuple[Any, ...]]]:
    """Return every row about money that moved."""
    charged = Payment.objects.filter(charged_minor__gt=0)
    holds = Hold.objects.filter(payment__charged_minor__gt=0)
    tables: list[QuerySet[Any]] = [Posting.objects.all(), charged, holds, Refund.objects.all(), Payout.objects.all()]
    return [list(rows.order_by("pk").values_list()) for rows in tables]


def erase(person: User) -> None:
    """Delete the account, and do all that follows."""
    person.refresh_from_db()
    erasing.erase(user=person)
    erasing.finish(User.objects.get(pk=person.pk))


def why_not(person: User) -> list[str]:
    return erasing.objections(User.objects.get(pk=person.pk))


def test_nothing_of_a_customer_is_left_but_the_books(quagga: User, eve: User, topic: Topic, uploads: Path) -> None:
    session = live_a_life(quagga, eve, topic)
    rate.rate(session=session, customer=quagga, stars=2, solved="no", comment="A quagga comment")
    HelpSession.objects.filter(pk=session.pk).update(details="quagga details")
    never = make_request(quagga, topic, title="A quagga title")
    cancel.cancel(session_id=never.pk, customer=quagga)
    Message.objects.create(
        key="c", to=eve, way="text", purpose="request", reference=never.pk, text="Quagga is stuck: a quagga title"
    )
    before = money()

    erase(quagga)

    # A text of two, which is the other one's too.
    assert tables_with("quagga") == {"sessions_app.SharedNotes", "sessions_app.NotesEdit"}
    assert tables_with("+436641234567") == set()
    assert money() == before
    assert files_in(uploads) == []
    assert [line.body for line in chat.lines_of(session)] == [erasing.REMOVED, "A line of the other", erasing.REMOVED]
    rating = Rating.objects.get(session=session)
    assert (rating.stars, rating.comment) == (2, "")
    session.refresh_from_db()
    assert (str(session.customer), session.title, session.details) == ("Deleted person", "Query is slow", "")
    assert not Card.objects.filter(owner=quagga, removed_at=None).exists()


def test_nothing_of_an_expert_is_left_but_the_books(alice: User, eve: User, topic: Topic, uploads: Path) -> None:
    User.objects.filter(pk=eve.pk).update(display_name="Quagga", email="quagga@example.org")
    EmailAddress.objects.filter(user=eve).update(email="quagga@example.org")
    eve.refresh_from_db()
    type(eve.expert).objects.filter(user=eve).update(headline="Quagga helps", about="quagga", links="https://quagga.example")
    session = live_a_life(eve, alice, topic, as_expert=True)
    ready_account(eve)
    payouts.pay_everybody(timezone.now())
    before = money()

    erase(eve)

    assert tables_with("quagga") == {"sessions_app.SharedNotes", "sessions_app.NotesEdit"}
    assert money() == before
    page = client_of(alice).get(session.get_absolute_url()).content.decode()
    assert "with Deleted person" in page
    assert "quagga" not in page.lower().replace("quagga notes, and more", "")


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_notes_of_two_go_when_both_are_gone(quagga: User, bob: User, eve: User, topic: Topic) -> None:
    session = live_a_life(quagga, eve, topic)
    ready_account(eve)
    payouts.pay_everybody(timezone.now())
    erase(quagga)
    assert notes.body_of(session) == "quagga notes, and more"
    erase(eve)
    assert tables_with("quagga") == set()


def test_who_did_not_come_and_who_was_asked_first_is_named_no_more(alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    for expert in (eve, erin):
        HelpSession.objects.filter(pk=session.pk).update(state=State.ACCEPTED, expert=expert)
        return_to_queue(session_id=session.pk, expert=expert, by=None, kind=TimelineEntry.Kind.RETURNED)
    HelpSession.objects.filter(pk=session.pk).update(first_expert=eve)
    TimelineEntry.objects.create(session=session, kind="opened", note="Eve cannot come now")
    erase(eve)
    entries = TimelineEntry.objects.filter(session=session, kind__in=["returned", "opened"])
    assert set(entries.values_list("note", flat=True)) == {"Deleted person", "Erin", ""}


# --- not yet ---


def test_an_open_request_or_a_running_session_comes_first(alice: User, eve: User, topic: Topic) -> None:
    request = make_request(alice, topic)
    with pytest.raises(Refused, match="still open"):
        erasing.erase(user=alice)
    cancel.cancel(session_id=request.pk, customer=alice)
    assert why_not(alice) == []
    make_active(alice, eve, topic, seconds=60)
    for person in (alice, eve):
        assert why_not(person) == [of_sessions.OPEN.format(title="Query is slow")]


def test_while_a_problem_can_be_reported_nobody_goes(alice: User, eve: User, topic: Topic) -> None:
    session = over(make_active(alice, eve, topic, seconds=60), alice)
    assert why_not(alice) == []
    HelpSession.objects.filter(pk=session.pk).update(ended_at=timezone.now() - timedelta(hours=47, minutes=59))
    (sentence,) = why_not(alice)
    assert sentence.startswith("Problems with “Query is slow” can be reported until ")


def test_what_is_looked_at_comes_first_and_who_reported_it_is_not_said(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    cases.report(session=session, by=alice, problem="Silent")
    session = over(session, alice)
    assert why_not(alice) == [of_sessions.LOOKED_AT]
    assert of_sessions.LOOKED_AT in why_not(eve)
    answer.refuse(case=cases.own_case(session, alice), operator=eve, answer="No.")  # type: ignore[arg-type]
    assert why_not(alice) == []
    report = PersonReport.objects.create(session=session, by=eve, about=alice, reason="rude")
    assert why_not(alice) == [of_sessions.LOOKED_AT]
    PersonReport.objects.filter(pk=report.pk).update(state=PersonReport.State.CLOSED)
    assert why_not(alice) == []
