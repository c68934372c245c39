"""Problems people report: a case each, until an operator answers it."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from uuid import UUID, uuid5

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import SentMail, User
from billing.gateways.base import GatewayUnavailable
from billing.keeping_back import keep_back
from hopps.each import look_after
from hopps.errors import Refused
from hopps.http import public_url
from hopps.tasks import mail_operators
from sessions_app import answer, answer_mails
from sessions_app.models import Case, HelpSession, TimelineEntry
from sessions_app.timeline import record

# A crash between two writes is old by then.
GRACE = timedelta(minutes=1)
# By then the job has tried to mail the answer as often as it does.
MAIL_OVERDUE = timedelta(minutes=10)
SWEPT_FOR = timedelta(days=1)
# For so long the rule tries again what a crash, or a no from the processor, kept from being given back; then it is up to an
# operator.
RULE_TRIED_FOR = timedelta(hours=1)
# What an operator can do to a session, in its timeline under the name of Hopps.
_ENDED_BY_HOPPS = (TimelineEntry.Kind.ENDED, TimelineEntry.Kind.CANCELLED, TimelineEntry.Kind.REQUEUED)


def support_address() -> str:
    """Return where to write when there is no form any more."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def report_until(session: HelpSession) -> datetime | None:
    """Return until when (UTC) problems with `session` can be reported; None while it is not over."""
    if session.ended_at is None:
        return None
    return session.ended_at + timedelta(hours=settings.REPORT_HOURS)


def report(*, session: HelpSession, by: User, problem: str) -> Case:
    """Open a case for operators with a participant's problem; the session's earnings wait until it is answered.

    The same words sent twice open one case. Where the call never worked and something was charged, the rule answers at
    once: it is given back in full.

    Raises:
        Refused: nobody has accepted the session yet, it is too long ago, or this person has an open case here.
    """
    if session.expert_id is None:
        raise Refused("There is nobody in this session yet. You can cancel the request.")
    until = report_until(session)
    if until is not None and timezone.now() >= until:
        raise Refused(
            f"Problems can be reported for {settings.REPORT_HOURS} hours after a session, and they have passed. "
            f"Write to {support_address()} instead."
        )
    try:
        with transaction.atomic():
            case = Case.objects.create(session=session, by=by, problem=problem)
    except IntegrityError:
        earlier = Case.objects.filter(session=session, by=by).order_by("-opened_at").first()
        if earlier is not None and earlier.problem == problem:
            return earlier
        raise Refused(
            "You reported a problem with this session already, and we are looking at it. We answer by mail. "
            f"To add something, write to {support_address()}."
        ) from None
    _spread(case)
    case.refresh_from_db()
    return case


def _spread(case: Case) -> None:
    """Do all that follows from a new case. Safe to repeat."""
    session = case.session
    keep_back(session.pk)
    entry = reported_entry(case.pk)
    if not TimelineEntry.objects.filter(pk=entry).exists():
        link = public_url(reverse("admin:sessions_app_case_change", args=[case.pk]))
        mail_operators(
            f"Problem reported: {session.title}",
            f"{case.by} ({case.by.email}) in “{session.title}”:\n\n{case.problem}\n\nLook at it and answer: {link}\n",
        )
        # Last: it says that the rest was done.
        record(session, TimelineEntry.Kind.REPORTED, by=case.by, note=case.problem, at=case.opened_at, entry_id=entry)
    answer.answer_by_rule(case)


def reported_entry(case_id: UUID) -> UUID:
    """Return the id of the timeline's entry of a report."""
    return uuid5(case_id, "reported")


def own_case(session: HelpSession, user: User) -> Case | None:
    """Return the last case `user` opened about `session`."""
    return Case.objects.filter(session=session, by=user).select_related("refund__payment").order_by("-opened_at").first()


def timeline_for(session: HelpSession, user: User) -> list[TimelineEntry]:
    """Return what happened in `session`, less the reports of others and their answers: those are for operators.

    Whom the customer asked first, and why they did not come, is not for the expert who did. Which operator ended something
    for Hopps is for operators.
    """
    entries = list(session.timeline.select_related("by", "session__customer"))
    for entry in entries:
        if entry.kind in _ENDED_BY_HOPPS and entry.by_id not in (session.customer_id, session.expert_id):
            entry.by = None
    if user.pk != session.customer_id:
        entries = [entry for entry in entries if entry.kind != TimelineEntry.Kind.OPENED]
    private = (TimelineEntry.Kind.REPORTED, TimelineEntry.Kind.ANSWERED)
    if not any(entry.kind in private for entry in entries):
        return entries
    own = {
        answer.answered_entry(case_id)
        for case_id in Case.objects.filter(session=session, by=user).values_list("pk", flat=True)
    }
    return [entry for entry in entries if entry.kind not in private or entry.by_id == user.pk or entry.pk in own]


def heal_cases(now: datetime) -> None:
    """Finish what a crash left of reports and answers more than a minute before `now` (UTC). Safe to repeat."""
    before = now - GRACE
    cases = Case.objects.select_related("session__customer", "session__expert", "by", "answered_by", "refund__payment")
    opened = list(cases.filter(state=Case.State.OPEN, opened_at__lt=before))
    told = TimelineEntry.objects.filter(pk__in=[reported_entry(case.pk) for case in opened])
    spread = set(told.values_list("pk", flat=True))
    unfinished = [case for case in opened if case.opened_at > now - RULE_TRIED_FOR or reported_entry(case.pk) not in spread]
    look_after(unfinished, _spread, name="Case", quiet=(GatewayUnavailable,))
    look_after(cases.filter(answer.decided_to_refund(), answered_at__lt=before), answer.find_refund, name="Case")
    answered = list(cases.exclude(answer.unanswered()).filter(answered_at__lt=before, answered_at__gt=now - SWEPT_FOR))
    entries = TimelineEntry.objects.filter(pk__in=[answer.answered_entry(case.pk) for case in answered])
    mails = SentMail.objects.filter(key__in=[answer_mails.mail_key(case.pk) for case in answered])
    done, mailed = set(entries.values_list("pk", flat=True)), set(mails.values_list("key", flat=True))

    def is_left_behind(case: Case) -> bool:
        overdue = case.answered_at is not None and case.answered_at < now - MAIL_OVERDUE
        return answer.answered_entry(case.pk) not in done or (overdue and answer_mails.mail_key(case.pk) not in mailed)

    look_after(filter(is_left_behind, answered), answer.spread_answer, name="Case")
