"""Reporting a person: from either side, in the call and afterwards; and what operators do about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import blocking
from accounts.models import Topic, User
from hopps.errors import Refused
from sessions_app import cases, person_reports
from sessions_app.models import HelpSession, PersonReport, TimelineEntry
from sessions_app.sweep import sweep
from tests.people import make_active, make_person, make_request
from tests.sessions_app.test_never_worked import ended

pytestmark = pytest.mark.django_db

Reason = PersonReport.Reason
LISTED = "admin:sessions_app_personreport_changelist"


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    return ended(alice, eve, topic, media=True)


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def report(session: HelpSession, by: User, *, words: str = "Shouted at me", also_block: bool = False) -> PersonReport:
    return person_reports.report_person(session=session, by=by, reason=Reason.RUDE, words=words, also_block=also_block)


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def post(browser: Client, session: HelpSession, *, script: bool = False, **fields: Any) -> Any:
    headers = {"Accept": "application/json"} if script else {}
    return browser.post(reverse("session_report_person", args=[session.pk]), fields, headers=headers)


# --- reporting ---


@pytest.mark.parametrize("side", ["customer", "expert"])
def test_either_side_reports_the_other_who_is_not_told(side: str, session: HelpSession, alice: User, eve: User) -> None:
    by, about = (alice, eve) if side == "customer" else (eve, alice)
    browser = browser_of(by)
    assert f"Block or report {about}" in browser.get(session.get_absolute_url()).content.decode()
    answer = post(browser, session, reason="rude", words="Shouted at me", also_block="on")
    page = browser.get(answer.headers["Location"]).content.decode()
    assert "Thank you. Our operators look into it, and do not say who told them." in page
    assert f"You reported {about}." in page
    found = PersonReport.objects.get()
    assert (found.by, found.about, found.reason, found.words) == (by, about, Reason.RUDE, "Shouted at me")
    assert blocking.has_blocked(by=by, person=about)
    theirs = browser_of(about).get(session.get_absolute_url()).content.decode()
    assert "Shouted" not in theirs
    assert f"You reported {by}" not in theirs
    assert f"You blocked {by}" not in theirs


def test_without_the_tick_nobody_is_blocked(session: HelpSession, alice: User, eve: User) -> None:
    post(browser_of(alice), session, reason="scam")
    assert PersonReport.objects.get().about == eve
    assert not blocking.has_blocked(by=alice, person=eve)


def test_in_the_call_it_is_said_in_place_and_the_call_goes_on(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    answer = post(browser_of(alice), session, script=True, reason="rude", also_block="on").json()
    assert answer["said"].endswith("Eve is blocked.")
    assert answer["blocked"] is True
    session.refresh_from_db()
    assert session.is_live


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose what happened."),
        ({"reason": "ugly"}, "Select a valid choice"),
        ({"reason": "other"}, "Write what happened, so that we can look into it."),
        ({"reason": "rude", "words": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(
    fields: dict[str, Any], sentence: str, session: HelpSession, alice: User
) -> None:
    answer = post(browser_of(alice), session, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert fields.get("words", "") in answer.content.decode()
    assert sentence in post(browser_of(alice), session, script=True, **fields).json()["error"]
    assert not PersonReport.objects.exists()


def test_it_is_for_the_two_and_there_must_be_somebody_to_report(
    session: HelpSession, alice: User, bob: User, olga: User, topic: Topic
) -> None:
    for stranger in (bob, olga):
        assert post(browser_of(stranger), session, reason="rude").status_code == 404
    alone = make_request(alice, topic)
    assert post(browser_of(alice), alone, script=True, reason="rude").status_code == 409
    assert not PersonReport.objects.exists()


def test_the_same_report_twice_is_one_and_another_waits_for_the_first(session: HelpSession, alice: User, eve: User) -> None:
    assert report(session, alice) == report(session, alice)
    with pytest.raises(Refused, match="looking into it"):
        report(session, alice, words="And again")
    assert report(session, eve).about == alice
    answer = post(browser_of(alice), session, reason="scam", words="Wanted cash", also_block="on")
    assert answer.status_code == 409
    assert "Wanted cash" in answer.content.decode()
    # The block was wanted, whatever becomes of the report.
    assert blocking.has_blocked(by=alice, person=eve)


def test_money_is_another_matter(session: HelpSession, alice: User) -> None:
    report(session, alice)
    assert cases.own_case(session, alice) is None
    page = browser_of(alice).get(session.get_absolute_url()).content.decode()
    assert "Report a problem" in page


def test_only_who_reported_reads_of_it_in_the_timeline(session: HelpSession, alice: User, eve: User) -> None:
    report(session, alice)
    kinds = [entry.kind for entry in cases.timeline_for(session, alice)]
    assert TimelineEntry.Kind.REPORTED in kinds
    assert TimelineEntry.Kind.REPORTED not in [entry.kind for entry in cases.timeline_for(session, eve)]


# --- operators hear of it ---


def test_operators_get_mail_that_leads_to_the_report(
    session: HelpSession, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HUEY, "_immediate", True)
    settings.MANAGERS = [("Operators", "ops@example.org")]
    made = report(session, alice)
    (sent,) = mail.outbox
    assert "Person reported: Eve" in sent.subject
    assert "Shouted at me" in sent.body
    assert reverse("admin:sessions_app_personreport_change", args=[made.pk]) in sent.body


def test_a_report_that_a_crash_kept_from_operators_is_mailed_by_the_sweep(
    session: HelpSession, alice: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HUEY, "_immediate", True)
    PersonReport.objects.create(
        session=session, by=alice, about=eve, reason=Reason.RUDE, at=timezone.now() - timedelta(minutes=2)
    )
    for _ in range(2):
        sweep(now=timezone.now())
    assert [sent.subject for sent in mail.outbox if "Person reported" in sent.subject] == ["[Hopps] Person reported: Eve"]


def test_open_reports_come_first_with_how_many_others_there_are(
    operator: Client,
    session: HelpSession,
    alice: User,
    bob: User,
    eve: User,
    olga: User,
    topic: Topic,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    person_reports.close(report=report(session, alice), operator=olga, outcome="A joke.")
    newer = report(ended(bob, eve, topic, media=True), bob)
    report(session, eve)
    assert "2 reported people to look into" in operator.get(reverse("admin:index")).content.decode()
    with django_assert_max_num_queries(12):
        page = operator.get(reverse(LISTED))
    rows = list(page.context["cl"].result_list)
    assert [row.state for row in rows] == ["open", "open", "closed"]
    assert {row.pk: row.others for row in rows}[newer.pk] == 1
    assert operator.get(f"{reverse(LISTED)}?state__exact=open&q=Eve").status_code == 200


def test_an_operator_reads_it_with_its_session_and_closes_it(
    operator: Client, session: HelpSession, alice: User, olga: User
) -> None:
    made = report(session, alice)
    address = reverse("admin:sessions_app_personreport_change", args=[made.pk])
    page = operator.get(address).content.decode()
    for part in (
        "Shouted at me",
        reverse("admin:sessions_app_helpsession_change", args=[session.pk]),
        reverse("admin:accounts_user_suspend", args=[made.about_id]),
    ):
        assert part in page
    assert operator.post(address, {"outcome": " "}).status_code == 422
    assert operator.post(address, {"outcome": "Warned Eve."}).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.outcome, made.closed_by) == (PersonReport.State.CLOSED, "Warned Eve.", olga)
    assert LogEntry.objects.get().change_message == "Closed: Warned Eve."
    # Closed once: by whoever was first.
    again = operator.post(address, {"outcome": "Nothing."})
    assert again.status_code == 422
    assert "Olga closed this report meanwhile." in again.content.decode()
    # The next thing that happens is a report of its own.
    assert report(session, alice, words="Again") != made


def test_what_is_no_report_is_not_there_and_who_may_only_look_closes_nothing(
    operator: Client, client: Client, session: HelpSession, alice: User
) -> None:
    assert operator.get("/admin/sessions_app/personreport/nothing/change/").status_code == 302
    made = report(session, alice)
    oscar = make_person("oscar@example.org", "Oscar")
    User.objects.filter(pk=oscar.pk).update(is_staff=True)
    oscar.user_permissions.add(Permission.objects.get(codename="view_personreport"))
    client.force_login(oscar)
    address = reverse("admin:sessions_app_personreport_change", args=[made.pk])
    page = client.get(address).content.decode()
    assert "It waits for an operator who may close reports." in page
    assert "Suspend" not in page
    assert client.post(address, {"outcome": "Mine now"}).status_code == 403
