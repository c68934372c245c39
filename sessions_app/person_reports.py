"""One person of a session reports how the other behaved; operators look into it. Money is a case's matter (`cases`)."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from accounts import blocking
from accounts.models import User
from hopps.each import look_after
from hopps.errors import Refused
from hopps.http import public_url
from hopps.tasks import mail_operators
from sessions_app.cases import support_address
from sessions_app.models import HelpSession, PersonReport, TimelineEntry
from sessions_app.timeline import record

# A crash between two writes is old by then.
GRACE = timedelta(minutes=1)

State = PersonReport.State


def report_person(
    *, session: HelpSession, by: User, reason: PersonReport.Reason, words: str, also_block: bool
) -> PersonReport:
    """Report the other person of `session` to the operators; they are not told. The same report sent twice is one.

    Args:
        by: one of the two.
        reason: what kind of thing happened.
        words: what happened; may be empty where the reason says enough.
        also_block: whether the two are not to meet again either.

    Raises:
        Refused: there is no other person, or this one has an open report here. The block was made all the same.
    """
    about = session.other(by)
    if about is None:
        raise Refused("There is nobody else in this session.")
    if also_block:
        blocking.block(by=by, person=about, reference=session.pk)
    try:
        with transaction.atomic():
            report = PersonReport.objects.create(session=session, by=by, about=about, reason=reason, words=words)
    except IntegrityError:
        earlier = PersonReport.objects.filter(session=session, by=by).first()
        if earlier is not None and (earlier.reason, earlier.words) == (reason, words):
            return earlier
        raise Refused(
            f"You reported {about} already, and our operators are looking into it. To add something, write to "
            f"{support_address()}."
        ) from None
    _spread(report)
    return report


def close(*, report: PersonReport, operator: User, outcome: str) -> PersonReport:
    """Close a report with what was found and done. Operators alone read it.

    Raises:
        Refused: no outcome, or somebody closed it meanwhile.
    """
    if not outcome.strip():
        raise Refused("Say what was found and done: the next operator reads it.")
    open_still = PersonReport.objects.filter(pk=report.pk, state=State.OPEN)
    won = open_still.update(state=State.CLOSED, outcome=outcome.strip(), closed_by=operator, closed_at=timezone.now())
    report = PersonReport.objects.select_related("about", "closed_by").get(pk=report.pk)
    if not won:
        raise Refused(f"{report.closed_by} closed this report meanwhile.")
    return report


def own_report(session: HelpSession, user: User) -> PersonReport | None:
    """Return the last report `user` made from `session`."""
    return PersonReport.objects.filter(session=session, by=user).first()


def other_counts(reports: list[PersonReport]) -> dict[UUID, int]:
    """Return how many reports there are about the person of each of `reports` beside that one, by the report's id."""
    people = {report.about_id for report in reports}
    rows = PersonReport.objects.filter(about__in=people).order_by().values("about_id").annotate(number=Count("pk"))
    numbers = {row["about_id"]: row["number"] for row in rows}
    return {report.pk: numbers.get(report.about_id, 1) - 1 for report in reports}


def heal_person_reports(now: datetime) -> None:
    """Tell the operators of reports a crash kept from them, more than a minute before `now` (UTC). Safe to repeat."""
    reports = list(
        PersonReport.objects.filter(state=State.OPEN, at__lt=now - GRACE).select_related("session", "by", "about")
    )
    told = TimelineEntry.objects.filter(pk__in=[_entry_of(report) for report in reports])
    spread = set(told.values_list("pk", flat=True))
    look_after((report for report in reports if _entry_of(report) not in spread), _spread, name="Report")


def _spread(report: PersonReport) -> None:
    """Tell the operators. Safe to repeat."""
    link = public_url(reverse("admin:sessions_app_personreport_change", args=[report.pk]))
    mail_operators(
        f"Person reported: {report.about}",
        f"{report.by} ({report.by.email}) reported {report.about} ({report.about.email}) in “{report.session.title}”: "
        f"{report.get_reason_display().lower()}.\n\n{report.words}\n\nLook into it: {link}\n",
    )
    # Last: it says that the rest was done. Participants see their own alone (`cases.timeline_for`).
    # Without the name, which may have to be forgotten: the session says who the other one was.
    note = f"how the other behaved: {report.get_reason_display().lower()}"
    entry = _entry_of(report)
    record(report.session, TimelineEntry.Kind.REPORTED, by=report.by, note=note, at=report.at, entry_id=entry)


def _entry_of(report: PersonReport) -> UUID:
    return uuid5(report.pk, "person reported")
