"""The one page of a help session, in every state."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import blocking
from accounts.http import allowed, signed_in
from accounts.models import User
from accounts.permissions import Do, may
from billing import holds
from billing.models import Payment
from sessions_app import attendance, cases, chat, first, notes, person_reports, receipts, wait, watch
from sessions_app.forms import ExtendForm, PersonReportForm, RatingForm, ReportForm
from sessions_app.history import role_in
from sessions_app.late import is_late_for, what_became
from sessions_app.matching import may_accept, usual_wait_seconds
from sessions_app.models import Case, HelpSession, Rating, State, TimelineEntry
from sessions_app.video.sdk import sdk_address
from sessions_app.views.find import a_session

# What puts an accepted request back in front of the other experts.
GIVEN_BACK = (TimelineEntry.Kind.RETURNED, TimelineEntry.Kind.RELEASED, TimelineEntry.Kind.REQUEUED)


@login_required
@require_safe
@allowed(Do.OPEN_SESSION, a_session)
def session(request: HttpRequest, shown: HelpSession) -> HttpResponse:
    """Waiting, room or receipt: for the two participants, and for an expert who may still accept.

    An expert who comes too late, by the link of a text, is told so and nothing else.
    """
    user = signed_in(request)
    role = role_for(shown, user)
    if role is None and is_late_for(shown, user):
        return render(request, "sessions/late.html", {"sentence": what_became(shown, user)}, status=410)
    if role is None:
        raise Http404
    return render(request, "sessions/session.html", page_context(shown, user, role))


def role_for(session: HelpSession, user: User) -> str | None:
    """Return "customer", "expert", "candidate" (may accept an open request) or None: not for this person."""
    if may(user, Do.SEE_SESSION, session):
        return role_in(session, user)
    if session.state == State.REQUESTED and may(user, Do.ACCEPT) and may_accept(session, user):
        return "candidate"
    return None


def page_context(
    session: HelpSession,
    user: User,
    role: str,
    *,
    rating_form: RatingForm | None = None,
    report_form: ReportForm | None = None,
    person_report_form: PersonReportForm | None = None,
) -> dict[str, object]:
    """Return what the session's templates use; the forms when they come back with errors."""
    context: dict[str, object] = {
        "session": session,
        "role": role,
        "other": session.other(user),
        "demo": settings.PAYMENTS == "demo",
        "clock": attendance.clock(session, timezone.now()),
        "join_seconds": settings.EXPERT_JOIN_SECONDS,
    }
    if role == "candidate":
        context["asked_first"] = session.first_expert_id == user.pk and session.is_for_first_expert(timezone.now())
        return context
    context["timeline"] = cases.timeline_for(session, user)
    payment = Payment.objects.filter(reference=session.pk).prefetch_related("holds__card", "refunds").first()
    context["payment"] = payment
    if session.state == State.DRAFT:
        context["hold"] = holds.latest_hold(session.pk)
    if session.state == State.REQUESTED:
        context["given_back"] = session.timeline.filter(kind__in=GIVEN_BACK).select_related("by").last()
        context["happening"] = wait.happening(session, timezone.now())
        context["usual_wait"] = usual_wait_seconds()
        context["first_seconds"] = settings.FIRST_EXPERT_SECONDS
    if session.is_live:
        context["twilio_sdk"] = sdk_address(session)
        context["file_bytes"] = settings.UPLOAD_BYTES
        context["absence_seconds"] = settings.ABSENCE_ENDS_SECONDS
    if session.is_live and role == "customer":
        context["extend_form"] = ExtendForm(session=session)
    if role == "customer" and session.state in watch.CLOSED:
        context["watch"] = watch.state_of(session, timezone.now())
        context["can_be_watched"] = watch.can_be_watched(session, timezone.now())
        context["watch_hours"] = settings.WATCH_HOURS
    if session.state == State.ENDED and role == "customer":
        context["may_ask_first"] = session.pk in first.may_ask_first_among([session])
    if session.is_over:
        context["charge"] = receipts.charge_of(session, payment)
        context["receipt"] = receipts.describe(session, payment)
        context["chat"] = chat.lines_of(session)
        context["notes"] = notes.body_of(session)
        context["rating"] = Rating.objects.filter(session=session).first()
        context["rating_form"] = rating_form or RatingForm()
    if session.expert_id is not None:
        context["blocked"] = blocking.has_blocked(by=user, person=session.other(user))
        context["person_report"] = person_reports.own_report(session, user)
        context["person_report_form"] = person_report_form or PersonReportForm()
    if session.is_over and session.expert_id is not None:
        context.update(_report_context(session, user, report_form))
    return context


def _report_context(session: HelpSession, user: User, form: ReportForm | None) -> dict[str, object]:
    """Return what the page says of problems: the person's own case, and the form while the time for it lasts."""
    case, until = cases.own_case(session, user), cases.report_until(session)
    waits = case is not None and (case.state == Case.State.OPEN or case.is_unfinished)
    open_until = until if until is not None and timezone.now() < until else None
    context: dict[str, object] = {
        "case": case,
        "case_waits": waits,
        "report_until": open_until,
        "report_hours": settings.REPORT_HOURS,
        "support": cases.support_address(),
    }
    if form is not None or (open_until and not waits):
        context["report_form"] = form or ReportForm()
    return context
