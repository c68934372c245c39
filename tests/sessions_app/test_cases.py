"""Problems people report: who may, until when, and what follows."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import Topic, User
from billing.models import Payment, Refund
from hopps.errors import Refused
from sessions_app import cancel, cases
from sessions_app.answer import NEVER_WORKED
from sessions_app.models import Case, HelpSession, TimelineEntry
from sessions_app.sweep import sweep
from tests.people import make_accepted, make_active, make_request
from tests.sessions_app.test_never_worked import charged_before_it_was_known, ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    """A session that was charged $4.00."""
    return ended(alice, eve, topic, media=True)


def age(session: HelpSession, hours: float) -> None:
    HelpSession.objects.filter(pk=session.pk).update(ended_at=timezone.now() - timedelta(hours=hours))
    session.refresh_from_db()


def payment_of(session: HelpSession) -> Payment:
    return Payment.objects.get(reference=session.pk)


def test_a_report_opens_a_case_goes_on_the_timeline_and_keeps_the_earnings_back(session: HelpSession, alice: User) -> None:
    case = cases.report(session=session, by=alice, problem="Eve was silent")
    assert (case.state, case.problem, case.by) == (Case.State.OPEN, "Eve was silent", alice)
    assert payment_of(session).kept_back
    assert session.timeline.get(kind="reported").note == "Eve was silent"


def test_operators_get_mail_that_leads_to_the_case(
    session: HelpSession, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HUEY, "_immediate", True)
    settings.MANAGERS = [("Operators", "ops@example.org")]
    settings.PUBLIC_URL = "https://hopps.test"
    case = cases.report(session=session, by=alice, problem="Eve was silent")
    (sent,) = mail.outbox
    assert sent.to == ["ops@example.org"]
    assert session.title in sent.subject
    assert "Eve was silent" in sent.body
    assert f"https://hopps.test/admin/sessions_app/case/{case.pk}/change/" in sent.body


def test_either_side_of_a_running_session_can_report(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=10)
    for person in (alice, eve):
        cases.report(session=session, by=person, problem="No sound")
    assert session.cases.count() == 2


def test_before_anybody_accepted_there_is_nobody_to_report(alice: User, topic: Topic) -> None:
    with pytest.raises(Refused, match="nobody in this session"):
        cases.report(session=make_request(alice, topic), by=alice, problem="Slow")
    assert not Case.objects.exists()


def test_it_can_be_reported_for_48_hours_and_then_the_page_says_where_to_write(
    client: Client, session: HelpSession, alice: User, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Hopps <help@hopps.test>"
    client.force_login(alice)
    age(session, 47.9)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Report a problem" in page
    assert "Until " in page
    age(session, 48)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Report a problem" not in page
    assert "help@hopps.test" in page
    answer = client.post(reverse("session_report", args=[session.pk]), {"problem": "Too late"})
    assert answer.status_code == 409
    assert "48 hours after a session, and they have passed. Write to help@hopps.test" in answer.content.decode()
    assert "Too late</textarea>" in answer.content.decode()
    assert not Case.objects.exists()


def test_the_page_says_since_when_it_is_looked_at(client: Client, session: HelpSession, alice: User, eve: User) -> None:
    client.force_login(alice)
    answer = client.post(reverse("session_report", args=[session.pk]), {"problem": "Eve was silent"}, follow=True)
    page = answer.content.decode()
    assert "We are looking at it since" in page
    assert "Report a problem" not in page
    client.force_login(eve)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Eve was silent" not in page
    assert "reported a problem" not in page
    assert "Report a problem" in page


def test_a_second_report_while_one_is_open_is_refused_and_its_words_stay_in_the_form(
    client: Client, session: HelpSession, alice: User
) -> None:
    cases.report(session=session, by=alice, problem="First")
    client.force_login(alice)
    answer = client.post(reverse("session_report", args=[session.pk]), {"problem": "Second"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "You reported a problem with this session already" in page
    assert "Second</textarea>" in page
    assert [case.problem for case in Case.objects.all()] == ["First"]


def test_the_button_pressed_twice_opens_one_case(client: Client, session: HelpSession, alice: User) -> None:
    client.force_login(alice)
    for _ in range(2):
        assert client.post(reverse("session_report", args=[session.pk]), {"problem": "Silent"}).status_code == 302
    assert Case.objects.count() == 1
    assert session.timeline.filter(kind="reported").count() == 1


@pytest.mark.parametrize("problem", ["", "   ", "x" * 2001])
def test_what_cannot_be_kept_is_said_at_the_field(client: Client, session: HelpSession, alice: User, problem: str) -> None:
    client.force_login(alice)
    answer = client.post(reverse("session_report", args=[session.pk]), {"problem": problem})
    assert answer.status_code == 422
    assert answer.context["report_form"].errors["problem"]
    assert not Case.objects.exists()


def test_a_customer_who_did_not_come_or_called_it_off_can_report_too(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    cancel.give_up_on_customer(session_id=session.pk)
    client.force_login(alice)
    assert "Report a problem" in client.get(session.get_absolute_url()).content.decode()
    client.post(reverse("session_report", args=[session.pk]), {"problem": "I was there"})
    assert Case.objects.get().problem == "I was there"


def test_nobody_was_there_so_there_is_nothing_to_report(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.cancel(session_id=session.pk, customer=alice)
    client.force_login(alice)
    assert "Report a problem" not in client.get(session.get_absolute_url()).content.decode()


def test_a_report_of_a_call_that_never_worked_gives_everything_back_at_once(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = charged_before_it_was_known(alice, eve, topic)
    client.force_login(alice)
    page = client.post(reverse("session_report", args=[session.pk]), {"problem": "Black"}, follow=True).content.decode()
    case = Case.objects.get()
    assert case.refund is not None
    assert (case.state, case.answered_by, case.answer) == (Case.State.REFUNDED, None, NEVER_WORKED)
    assert (case.refund.amount_minor, case.refund.by) == (400, None)
    assert not payment_of(session).kept_back
    assert "$4.00 given back" in page
    assert NEVER_WORKED in page


def test_a_report_about_a_refund_by_the_rule_is_for_an_operator(alice: User, eve: User, topic: Topic) -> None:
    session = charged_before_it_was_known(alice, eve, topic)
    cases.report(session=session, by=alice, problem="Black")
    assert cases.report(session=session, by=eve, problem="I was there for an hour").state == Case.State.OPEN
    assert payment_of(session).kept_back
    assert Refund.objects.count() == 1


def test_the_sweep_finishes_a_report_a_crash_interrupted(alice: User, eve: User, topic: Topic) -> None:
    session = charged_before_it_was_known(alice, eve, topic)
    Case.objects.create(session=session, by=alice, problem="Black", opened_at=timezone.now() - timedelta(minutes=2))
    sweep(now=timezone.now())
    sweep(now=timezone.now())
    assert session.timeline.filter(kind="reported").count() == 1
    assert Case.objects.get().state == Case.State.REFUNDED
    assert Refund.objects.count() == 1


def test_a_report_the_rule_could_not_answer_is_left_to_operators_after_an_hour(
    alice: User, eve: User, topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    session = charged_before_it_was_known(alice, eve, topic)
    Payment.objects.get(reference=session.pk).holds.update(gateway_ref="unknown")
    case = cases.report(session=session, by=alice, problem="Black")

    def tries_of_the_sweep() -> int:
        caplog.clear()
        sweep(now=timezone.now())
        return sum("could not be answered by the rule" in record.getMessage() for record in caplog.records)

    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(minutes=59))
    assert tries_of_the_sweep() == 1
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(minutes=61))
    assert tries_of_the_sweep() == 0
    # Nobody has heard of it yet: however old it is, operators must.
    TimelineEntry.objects.filter(session=session, kind="reported").delete()
    assert tries_of_the_sweep() == 1
    assert session.timeline.filter(kind="reported").count() == 1


def test_the_sweep_keeps_back_what_an_open_case_is_about(session: HelpSession, alice: User) -> None:
    Case.objects.create(session=session, by=alice, problem="x", opened_at=timezone.now() - timedelta(minutes=2))
    sweep(now=timezone.now())
    assert payment_of(session).kept_back
    assert TimelineEntry.objects.filter(session=session, kind="reported").count() == 1
