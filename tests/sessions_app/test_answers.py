"""Answering a report: once, whoever else answers, and whatever dies in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Topic, User
from accounts.permissions import Team
from billing.models import DemoRefund, Refund
from billing.refund import refund
from hopps.errors import Refused
from sessions_app import cases
from sessions_app.answer import _refund_id, answer_with_refund, refuse
from sessions_app.answer_mails import mail_answer_of
from sessions_app.jobs import mail_answer
from sessions_app.models import Case
from sessions_app.sweep import sweep
from tests.people import make_operator
from tests.sessions_app.test_cases import payment_of
from tests.sessions_app.test_never_worked import ended
from tests.writes import watched_writes

pytestmark = pytest.mark.django_db


@pytest.fixture
def oscar(db: None) -> User:
    """Another operator."""
    return make_operator("oscar@example.org", "Oscar", Team.MANAGER)


@pytest.fixture
def case(alice: User, eve: User, topic: Topic) -> Case:
    """Alice's report of a session that was charged $4.00."""
    session = ended(alice, eve, topic, media=True)
    return cases.report(session=session, by=alice, problem="Eve was silent")


def crash_before_the_money(case: Case, operator: User) -> None:
    """Leave the rows as a process does that dies between the decision and the refund."""
    Case.objects.filter(pk=case.pk).update(
        state=Case.State.REFUNDED, answer="Sorry.", answered_by=operator, answered_at=timezone.now() - timedelta(minutes=2)
    )


def crash_after_the_money(case: Case, operator: User) -> None:
    """Leave the rows as a process does that dies between the refund and saying so."""
    answer_with_refund(case=case, operator=operator, amount_minor=150, answer="Sorry.")
    Case.objects.filter(pk=case.pk).update(refund=None, answered_at=timezone.now() - timedelta(minutes=2))


def answer_once_more(case: Case, operator: User) -> Case:
    return answer_with_refund(case=case, operator=operator, amount_minor=150, answer="Sorry.")


def test_a_refund_moves_the_money_closes_the_case_and_lets_the_earnings_through(case: Case, olga: User) -> None:
    done = answer_once_more(case, olga)
    assert done.refund is not None
    assert (done.state, done.answer, done.answered_by) == (Case.State.REFUNDED, "Sorry.", olga)
    assert (done.refund.amount_minor, done.refund.by) == (150, olga)
    assert not payment_of(case.session).kept_back
    assert case.session.timeline.get(kind="answered").note == "$1.50 given back. Sorry."


def test_a_refusal_moves_nothing_and_lets_the_earnings_through(case: Case, olga: User) -> None:
    done = refuse(case=case, operator=olga, answer="All was well.")
    assert (done.state, done.answer, done.answered_by) == (Case.State.REFUSED, "All was well.", olga)
    assert not Refund.objects.exists()
    assert not payment_of(case.session).kept_back


def test_the_earnings_wait_for_the_other_case_of_the_session(case: Case, eve: User, olga: User) -> None:
    other = cases.report(session=case.session, by=eve, problem="He was rude")
    refuse(case=case, operator=olga, answer="All was well.")
    assert payment_of(case.session).kept_back
    refuse(case=other, operator=olga, answer="We will talk to him.")
    assert not payment_of(case.session).kept_back


def test_the_answer_is_for_the_reporter_and_nobody_else_in_the_session(
    client: Client, case: Case, alice: User, eve: User, olga: User
) -> None:
    answer_with_refund(case=case, operator=olga, amount_minor=150, answer="Eve admits it.")
    client.force_login(alice)
    page = client.get(case.session.get_absolute_url()).content.decode()
    assert "$1.50 given back" in page
    assert page.count("Eve admits it.") == 2  # beside the bill, and on the timeline
    client.force_login(eve)
    page = client.get(case.session.get_absolute_url()).content.decode()
    assert "Eve admits it." not in page
    assert "answered the report" not in page
    assert "Given back by our operators" in page


def test_the_button_pressed_twice_answers_once(case: Case, olga: User) -> None:
    for _ in range(2):
        assert answer_once_more(case, olga).state == Case.State.REFUNDED
    assert DemoRefund.objects.count() == 1
    assert case.session.timeline.filter(kind="answered").count() == 1


def test_the_refusal_pressed_twice_answers_once(case: Case, olga: User) -> None:
    for _ in range(2):
        assert refuse(case=case, operator=olga, answer="All was well.").state == Case.State.REFUSED


def test_who_answers_second_is_told_who_did(case: Case, olga: User, oscar: User) -> None:
    refuse(case=case, operator=olga, answer="All was well.")
    with pytest.raises(Refused, match="Olga answered this report meanwhile, without a refund"):
        answer_once_more(case, oscar)
    with pytest.raises(Refused, match="Olga answered"):
        refuse(case=case, operator=oscar, answer="No.")
    assert not Refund.objects.exists()


def test_who_refuses_after_a_refund_is_told(case: Case, olga: User, oscar: User) -> None:
    answer_once_more(case, olga)
    with pytest.raises(Refused, match="Olga answered this report meanwhile, with a refund"):
        refuse(case=case, operator=oscar, answer="No.")
    with pytest.raises(Refused, match="with a refund"):
        answer_with_refund(case=case, operator=oscar, amount_minor=400, answer="All of it.")
    assert Refund.objects.get().amount_minor == 150


def test_more_than_is_left_is_refused_and_the_case_stays_open(case: Case, olga: User) -> None:
    refund(payment=payment_of(case.session), amount_minor=300, reason="r", by=olga)
    with pytest.raises(Refused, match=r"Only \$1.00"):
        answer_once_more(case, olga)
    case.refresh_from_db()
    assert (case.state, case.answer, case.answered_by, case.answered_at) == (Case.State.OPEN, "", None, None)
    assert refuse(case=case, operator=olga, answer="Enough was given back.").state == Case.State.REFUSED


def test_a_refund_that_failed_can_be_tried_again(case: Case, olga: User) -> None:
    made = answer_once_more(case, olga).refund
    assert made is not None
    Refund.objects.filter(pk=made.pk).update(state=Refund.State.FAILED)
    Case.objects.filter(pk=case.pk).update(state=Case.State.OPEN, refund=None, answered_by=None, answered_at=None)
    again = answer_once_more(case, olga).refund
    assert again is not None
    assert again.pk != made.pk
    assert again.state == Refund.State.SUCCEEDED


@pytest.mark.parametrize("answer", ["", "  "])
def test_an_answer_has_words(case: Case, olga: User, answer: str) -> None:
    with pytest.raises(Refused, match="Write an answer"):
        refuse(case=case, operator=olga, answer=answer)
    with pytest.raises(Refused, match="Write an answer"):
        answer_with_refund(case=case, operator=olga, amount_minor=150, answer=answer)
    case.refresh_from_db()
    assert case.state == Case.State.OPEN


@pytest.mark.parametrize("crash", [crash_before_the_money, crash_after_the_money])
def test_a_crash_in_between_is_finished_by_trying_again_and_the_money_moves_once(
    case: Case, olga: User, oscar: User, crash: Callable[[Case, User], None]
) -> None:
    crash(case, olga)
    case.refresh_from_db()
    assert case.is_unfinished
    with pytest.raises(Refused, match="Olga decided to give money back"):
        refuse(case=case, operator=oscar, answer="No.")
    done = answer_once_more(case, olga)
    assert done.refund is not None
    assert not done.is_unfinished
    assert [row.amount_minor for row in DemoRefund.objects.all()] == [150]


def test_another_operator_can_finish_what_one_decided(case: Case, olga: User, oscar: User) -> None:
    crash_before_the_money(case, olga)
    done = answer_with_refund(case=case, operator=oscar, amount_minor=200, answer="Sorry indeed.")
    assert done.refund is not None
    assert (done.answered_by, done.answer, done.refund.amount_minor) == (oscar, "Sorry indeed.", 200)


def test_the_sweep_finds_the_refund_that_was_made(case: Case, olga: User) -> None:
    crash_after_the_money(case, olga)
    sweep(now=timezone.now())
    case.refresh_from_db()
    assert case.refund is not None
    assert Refund.objects.count() == 1


def test_while_the_money_is_missing_the_reporter_reads_that_we_are_looking_at_it(
    client: Client, case: Case, alice: User, olga: User
) -> None:
    crash_before_the_money(case, olga)
    client.force_login(alice)
    page = client.get(case.session.get_absolute_url()).content.decode()
    assert "We are looking at it since" in page
    assert "Sorry." not in page
    mail_answer_of(Case.objects.get(pk=case.pk))
    assert not mail.outbox


# --- the mail ---


def test_the_reporter_gets_one_mail_with_report_answer_and_amount(case: Case, alice: User, olga: User) -> None:
    answer_once_more(case, olga)
    for _ in range(2):
        mail_answer.call_local(str(case.pk))
    (sent,) = mail.outbox
    assert sent.to == [alice.email]
    assert "Query is slow" in sent.subject
    for words in ("> Eve was silent", "Sorry.", "$1.50 goes back to your card", case.session.get_absolute_url()):
        assert words in sent.body


def test_an_expert_who_reported_reads_what_the_refund_takes(case: Case, eve: User, olga: User) -> None:
    theirs = cases.report(session=case.session, by=eve, problem="He could not hear me")
    answer_with_refund(case=theirs, operator=olga, amount_minor=100, answer="Right.")
    mail_answer_of(Case.objects.get(pk=theirs.pk))
    assert "$1.00 goes back to Alice; your part of it is $0.80." in mail.outbox[0].body


def test_the_sweep_finds_an_answer_nobody_heard_of(case: Case, olga: User) -> None:
    # Died right after the decision: no timeline, no mail, the earnings still wait.
    answered_at = timezone.now() - timedelta(minutes=15)
    Case.objects.filter(pk=case.pk).update(
        state=Case.State.REFUSED, answer="All was well.", answered_by=olga, answered_at=answered_at
    )
    sweep(now=timezone.now())
    assert case.session.timeline.filter(kind="answered").count() == 1
    assert not payment_of(case.session).kept_back


# --- at the same moment ---


def at_once(*work: Callable[[], object]) -> list[object]:
    """Do all of `work` at the same moment, each on a connection of its own; return answers, or the sentence of a no."""
    start = Barrier(len(work))

    def one(do: Callable[[], object]) -> object:
        try:
            start.wait(timeout=20)
            return do()
        except Refused as refusal:
            return refusal.sentence
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(6))
def test_of_operators_answering_at_once_one_answers_and_the_others_are_told(
    case: Case, olga: User, oscar: User, turn: int
) -> None:
    answers = at_once(
        lambda: answer_with_refund(case=case, operator=olga, amount_minor=150, answer="Some."),
        lambda: answer_with_refund(case=case, operator=oscar, amount_minor=400, answer="All."),
        lambda: refuse(case=case, operator=oscar, answer="No."),
    )
    won = [answer for answer in answers if isinstance(answer, Case)]
    case.refresh_from_db()
    assert len(won) == 1, answers
    assert all(str(told).endswith(".") for told in answers if told not in won)
    made = list(Refund.objects.all())
    assert [one.pk for one in made] == ([case.refund_id] if case.state == Case.State.REFUNDED else [])
    assert won[0].answer == case.answer
    assert (case.refund.amount_minor if case.refund else 0) == {"Some.": 150, "All.": 400, "No.": 0}[case.answer]
    assert not payment_of(case.session).kept_back


def test_words_and_money_are_of_the_same_operator_where_two_finish_at_once(case: Case, olga: User, oscar: User) -> None:
    answers: list[object] = []

    def oscar_first(write: str, table: str) -> None:
        """Olga has decided; before she gets to the money, Oscar does. She is told, and then he goes on."""
        if (write, table) == ("UPDATE", "sessions_app_case") and not answers:
            answers.append("Oscar is on it")
            decided = Case.objects.get(pk=case.pk)
            payment = payment_of(case.session)
            refund(payment=payment, amount_minor=400, reason="r", by=oscar, refund_id=_refund_id(decided))

    refused = pytest.raises(Refused, match="Oscar answered this report meanwhile")
    with watched_writes(before=lambda write, table: None, after=oscar_first), refused:
        answer_with_refund(case=case, operator=olga, amount_minor=150, answer="Some.")
    done = answer_with_refund(case=Case.objects.get(pk=case.pk), operator=oscar, amount_minor=400, answer="All.")
    assert done.refund is not None
    assert (done.answer, done.answered_by, done.refund.amount_minor) == ("All.", oscar, 400)


def test_a_report_between_the_last_look_and_letting_through_leaves_the_earnings_waiting(
    case: Case, eve: User, olga: User
) -> None:
    came_in: list[Case] = []

    def report_just_before(write: str, table: str) -> None:
        if (write, table) == ("UPDATE", "billing_payment") and not came_in:
            came_in.append(case)
            cases.report(session=case.session, by=eve, problem="He was rude")

    with watched_writes(before=report_just_before, after=lambda write, table: None):
        refuse(case=case, operator=olga, answer="No.")
    assert came_in
    assert payment_of(case.session).kept_back
