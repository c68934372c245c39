"""Answering a report: with a refund or without, once, whoever else answers meanwhile."""

import logging
from uuid import UUID, uuid5

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from billing.keeping_back import keep_back, let_through
from billing.models import Payment, Refund
from billing.refund import RefundRefused, check_limit, refund
from hopps.errors import Refused
from hopps.money import format_money
from sessions_app import jobs
from sessions_app.models import Case, TimelineEntry
from sessions_app.never_worked import refund_if_call_never_worked
from sessions_app.timeline import record

logger = logging.getLogger(__name__)

# Both sides read it on their receipts: it says nothing of who reported what.
REFUND_REASON = "Given back by our operators after a look at this session"
NEVER_WORKED = "The call never connected, so all that was charged is given back."


def decided_to_refund() -> Q:
    """Return the condition of cases that are decided and not finished (`Case.is_unfinished`)."""
    return Q(state=Case.State.REFUNDED, refund=None)


def unanswered() -> Q:
    """Return the condition of cases that wait for an operator."""
    return Q(state=Case.State.OPEN) | decided_to_refund()


def answer_with_refund(*, case: Case, operator: User, amount_minor: int, answer: str) -> Case:
    """Give `amount_minor` of the charge back and answer the case; once, whoever else answers meanwhile.

    The decision comes first (one conditional UPDATE), then the money, under an id made of the case's: after a crash
    between the two the case waits for any operator to do this again, and no refusal can come in between.

    Args:
        case: an open one, or one whose refund was decided and not made.
        operator: who answers.
        amount_minor: what goes back, in minor units of the payment's currency.
        answer: for the person who reported.

    Raises:
        Refused: another operator answered first, or this much cannot be given back; the case is as it was then.
    """
    answer = _checked(answer)
    payment = Payment.objects.filter(reference=case.session_id).first()
    if payment is None:
        raise Refused("Nothing was ever held for this session, so nothing can be given back.")
    # Before anything is decided: who may not give so much back leaves a decision of somebody who may as it is.
    if not Refund.objects.filter(pk=_refund_id(case)).exists():
        check_limit(payment=payment, amount_minor=amount_minor, by=operator)
    now = timezone.now()
    won = Case.objects.filter(pk=case.pk, state=Case.State.OPEN).update(
        state=Case.State.REFUNDED, answer=answer, answered_by=operator, answered_at=now
    )
    case = _read(case.pk)
    if not won and not case.is_unfinished:
        if case.refund is not None and _is_the_same(case, operator, answer) and case.refund.amount_minor == amount_minor:
            return case
        raise Refused(_answered_before(case))
    try:
        made = refund(
            payment=payment, amount_minor=amount_minor, reason=REFUND_REASON, by=operator, refund_id=_refund_id(case)
        )
    except RefundRefused as refusal:
        Case.objects.filter(pk=case.pk, state=Case.State.REFUNDED, refund=None).update(
            state=Case.State.OPEN, answer="", answered_by=None, answered_at=None
        )
        raise Refused(refusal.sentence) from None
    if made.by_id != operator.pk or made.amount_minor != amount_minor:
        # Two finished the same at once, and the other's came first. They close the case with their own words (or, after a
        # crash, the sweep does): ours do not belong to this amount.
        raise Refused(_meanwhile(made.by, "with a refund"))
    _close_refunded(case, made, answer=answer, answered_by=operator, answered_at=now)
    return _read(case.pk)


def refuse(*, case: Case, operator: User, answer: str) -> Case:
    """Answer the case without giving anything back.

    Raises:
        Refused: another operator answered first, or a refund is decided and only the money is missing.
    """
    answer = _checked(answer)
    won = Case.objects.filter(pk=case.pk, state=Case.State.OPEN).update(
        state=Case.State.REFUSED, answer=answer, answered_by=operator, answered_at=timezone.now()
    )
    case = _read(case.pk)
    if won:
        spread_answer(case)
        return case
    if case.is_unfinished:
        raise Refused(f"{case.answered_by} decided to give money back here, and it did not get through. Finish that.")
    if case.state == Case.State.REFUSED and _is_the_same(case, operator, answer):
        return case
    raise Refused(_answered_before(case))


def answer_by_rule(case: Case) -> None:
    """Close an open case by itself where the call never worked and something was charged."""
    try:
        made = refund_if_call_never_worked(case.session)
    except RefundRefused as refusal:
        # Too much for the rule, because somebody refunds at this very moment, or no from the bank: an operator's to see.
        logger.error("Case %s could not be answered by the rule: %s", case.pk, refusal.sentence)
        return
    # A refund from before the report is what the report may be about.
    if made is not None and made.created_at >= case.opened_at:
        won = Case.objects.filter(pk=case.pk, state=Case.State.OPEN).update(
            state=Case.State.REFUNDED, answer=NEVER_WORKED, answered_at=timezone.now(), refund=made
        )
        if won:
            spread_answer(_read(case.pk))


def _read(case_id: UUID) -> Case:
    related = ("session__customer", "session__expert", "by", "answered_by", "refund__payment", "refund__by")
    return Case.objects.select_related(*related).get(pk=case_id)


def _checked(answer: str) -> str:
    if not answer.strip():
        raise Refused("Write an answer: it is mailed to the person who reported.")
    return answer.strip()


def _is_the_same(case: Case, operator: User, answer: str) -> bool:
    """Whether this is a button pressed twice."""
    return case.answered_by_id == operator.pk and case.answer == answer


def _answered_before(case: Case) -> str:
    return _meanwhile(case.answered_by, "with a refund" if case.state == Case.State.REFUNDED else "without a refund")


def _meanwhile(by: User | None, done: str) -> str:
    who = by or "The rule for calls that never connected"
    return f"{who} answered this report meanwhile, {done}. What you wrote was not sent."


def _refund_id(case: Case) -> UUID:
    """Return the id of this case's refund: the same for everybody who tries, and another only after one failed."""
    attempt = 0
    while Refund.objects.filter(pk=uuid5(case.pk, f"refund {attempt}"), state=Refund.State.FAILED).exists():
        attempt += 1
    return uuid5(case.pk, f"refund {attempt}")


def _close_refunded(case: Case, made: Refund, **answer: object) -> None:
    # Also over OPEN: somebody whose own try was refused may have opened it again, and the money has moved.
    standing = Case.objects.filter(pk=case.pk, refund=None).exclude(state=Case.State.REFUSED)
    if standing.update(state=Case.State.REFUNDED, refund=made, **answer):
        spread_answer(_read(case.pk))


def find_refund(case: Case) -> None:
    """Finish a case whose refund was made by somebody who crashed before saying so."""
    made = Refund.objects.filter(pk=_refund_id(case)).first()
    if made is not None:
        _close_refunded(case, made)


# --- what follows from an answer ---


def answered_entry(case_id: UUID) -> UUID:
    return uuid5(case_id, "answered")


def spread_answer(case: Case) -> None:
    """Do all that follows from an answer. Safe to repeat."""
    let_earnings_follow(case.session_id)
    record(
        case.session,
        TimelineEntry.Kind.ANSWERED,
        by=case.answered_by,
        note=f"{_outcome(case)} {case.answer}",
        at=case.answered_at,
        entry_id=answered_entry(case.pk),
    )
    jobs.mail_answer(str(case.pk))


def let_earnings_follow(session_id: UUID) -> None:
    """Let a session's earnings through when no case of it is open, and keep them back when one is.

    Looked at again after writing: a case opened in between has its say, whichever of the two wrote last.
    """
    open_cases = Case.objects.filter(unanswered(), session_id=session_id)
    waits = open_cases.exists()
    while True:
        (keep_back if waits else let_through)(session_id)
        still = open_cases.exists()
        if still == waits:
            return
        waits = still


def _outcome(case: Case) -> str:
    if case.refund is None:
        return "Nothing is given back."
    return f"{format_money(case.refund.amount_minor, case.refund.payment.currency)} given back."
